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
    /// What is promised, if anything.
    pub target: Option<Target>,
}

/// What a figure has to be, as it is printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// The median of the ratios, at least.
    RatioFrom(f64),
    /// The median of the ratios, at most.
    RatioUpTo(f64),
    /// Each of fieldgate's own numbers, less than.
    Below(f64),
}

/// Prints the table.
pub fn print(lines: &[Line]) {
    let width = lines.iter().map(|line| line.what.chars().count()).max().unwrap_or(0);
    println!("\n{:<width$} {:>26} {:>26} {:>22} {:>15}  limit", "", "fieldgate", "limit", "ratio", "target");
    for line in lines {
        println!("{}", text(line, width));
    }
}

fn text(line: &Line, width: usize) -> String {
    let ours = shown(&line.fieldgate);
    let target = line.target.map_or("-".to_owned(), |target| promised(line, target));
    match &line.limit {
        Some((numbers, what)) => {
            let (limit, ratios) = (shown(numbers), shown(&ratios(line)));
            format!("{:<width$} {ours:>26} {limit:>26} {ratios:>22} {target:>15}  {what}", line.what)
        }
        None => format!("{:<width$} {ours:>26} {:>26} {:>22} {target:>15}", line.what, "-", "-"),
    }
}

/// Within each round.
fn ratios(line: &Line) -> Vec<f64> {
    let limits = line.limit.iter().flat_map(|(numbers, _)| numbers);
    line.fieldgate.iter().zip(limits).map(|(ours, limit)| ours / limit).collect()
}

/// The target and whether it was met.
fn promised(line: &Line, target: Target) -> String {
    let (sign, wanted, is_met) = match target {
        Target::RatioFrom(least) => (">=", least, as_printed(median(&ratios(line))) >= least),
        Target::RatioUpTo(most) => ("<=", most, as_printed(median(&ratios(line))) <= most),
        Target::Below(bound) => ("<", bound, line.fieldgate.iter().all(|value| as_printed(*value) < bound)),
    };
    format!("{sign} {wanted}: {}", if is_met { "met" } else { "NOT met" })
}

fn as_printed(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
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

    fn words(line: &Line) -> String {
        let words: Vec<String> = text(line, 0).split_whitespace().map(str::to_owned).collect();
        words.join(" ")
    }

    #[test]
    fn a_line_has_medians_ranges_and_the_ratios_of_its_rounds() {
        let limit = Some((vec![300.0, 100.0, 200.0], "a plain file"));
        let target = Some(Target::RatioUpTo(0.5));
        let line = Line { what: "rows/s".to_owned(), fieldgate: vec![30.0, 50.5, 1000.0], limit, target };
        let expected = "rows/s 50.50 (30.00 to 1000) 200 (100 to 300) 0.51 (0.10 to 5.00) <= 0.5: NOT met a plain file";
        assert_eq!(words(&line), expected);
    }

    #[test]
    fn a_target_is_judged_by_what_is_printed() {
        let line = |fieldgate: f64, target| Line {
            what: String::new(),
            fieldgate: vec![fieldgate],
            limit: Some((vec![100.0], "")),
            target: Some(target),
        };
        let is_met = |line: &Line| words(line).ends_with(": met");
        assert!(is_met(&line(79.6, Target::RatioFrom(0.8))));
        assert!(!is_met(&line(79.4, Target::RatioFrom(0.8))));
        assert!(is_met(&line(100.4, Target::RatioUpTo(1.0))));
        assert!(!is_met(&line(100.6, Target::RatioUpTo(1.0))));
        assert!(is_met(&line(15.9, Target::Below(16.0))));
        assert!(!is_met(&line(16.0, Target::Below(16.0))));
        let once_too_high = Line { fieldgate: vec![1.0, 17.0, 2.0], ..line(1.0, Target::Below(16.0)) };
        assert!(!is_met(&once_too_high));
    }
}
