//! `[led]`: the LED that shows the state.

mod common;

use std::path::{Path, PathBuf};

use common::{GOOD, problems};
use fieldgate_config::{Config, Led};

fn with(lines: &str) -> String {
    format!("{GOOD}[led]\n{lines}\n")
}

fn led(text: &str) -> Option<Led> {
    Config::from_text(text, Path::new("f.toml"), "").unwrap_or_else(|error| panic!("{error}")).led
}

fn problem(lines: &str) -> String {
    let found = problems(&with(lines));
    assert_eq!(found.len(), 1, "{lines}: {found:?}");
    format!("{}: {}: {}; {}", found[0].line, found[0].path, found[0].what, found[0].remedy)
}

#[test]
fn there_is_no_led_unless_asked_for() {
    assert_eq!(led(GOOD), None);
}

#[test]
fn a_line_is_enough_and_chip_and_level_can_be_chosen() {
    for line in [0, 17, 63] {
        let plain = Led { line, chip: PathBuf::from("/dev/gpiochip0"), active_low: false };
        assert_eq!(led(&with(&format!("line = {line}"))), Some(plain));
    }
    let chosen = Led { line: 4, chip: PathBuf::from("/dev/gpiochip4"), active_low: true };
    assert_eq!(led(&with("line = 4\nchip = \"/dev/gpiochip4\"\nactive_low = true")), Some(chosen));
}

#[test]
fn what_cannot_be_a_line_is_a_problem() {
    assert_eq!(problem(""), "11: led.line: is missing; add line = 17");
    for wrong in ["64", "-1", "273"] {
        let expected = format!("12: led.line: is {wrong}; write the line's number, between 0 and 63");
        assert_eq!(problem(&format!("line = {wrong}")), expected);
    }
    assert!(problem("line = \"GPIO17\"").contains("not whole number"));
    assert!(problem("line = 17\nchip = \"gpiochip0\"").starts_with("13: led.chip: "));
    assert!(problem("line = 17\nactive_low = 1").contains("write true or false"));
    assert!(problem("line = 17\npin = 17").contains("is not a key that fieldgate knows"));
}
