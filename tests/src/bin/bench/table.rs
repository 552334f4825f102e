//! The one table of all results.

/// What was measured in every round of one thing.
#[derive(Debug, Clone)]
pub struct Line {
    /// What, with its unit.
    pub what: String,
    /// Fieldgate's numbers, at least one.
    pub fieldgate: Vec<f64>,
    /// The numbers of what it is compared with, of the same rounds, and what that is; none when nothing is like it.
    pub limit: Option<(Vec<f64>, &'static str)>,
}

/// Prints the table.
pub fn print(lines: &[Line]) {
    println!("\n{:<44} {:>26} {:>26} {:>22}  limit", "", "fieldgate", "limit", "ratio");
    for line in lines {
        println!("{}", text(line));
    }
}

fn text(line: &Line) -> String {
    let ours = shown(&line.fieldgate);
    match &line.limit {
        Some((numbers, what)) => {
            let ratios: Vec<f64> = line.fieldgate.iter().zip(numbers).map(|(ours, limit)| ours / limit).collect();
            format!("{:<44} {ours:>26} {:>26} {:>22}  {what}", line.what, shown(numbers), shown(&ratios))
        }
        None => format!("{:<44} {ours:>26} {:>26} {:>22}", line.what, "-", "-"),
    }
}

/// `median (lowest to highest)`.
fn shown(numbers: &[f64]) -> String {
    let lowest = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{} ({} to {})", number(median(numbers)), number(lowest), number(highest))
}

fn number(value: f64) -> String {
    if value < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

/// The upper one of the two in the middle if there are two.
fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_medians_ranges_and_the_ratios_of_its_rounds() {
        let limit = Some((vec![300.0, 100.0, 200.0], "a plain file"));
        let line = Line { what: "rows/s".to_owned(), fieldgate: vec![30.0, 50.5, 1000.0], limit };
        let words: Vec<String> = text(&line).split_whitespace().map(str::to_owned).collect();
        let expected = "rows/s 50.50 (30.00 to 1000) 200 (100 to 300) 0.51 (0.10 to 5.00) a plain file";
        assert_eq!(words.join(" "), expected);
    }
}
