//! Counting what a test runner says.

/// What the test programs of one run said at their ends.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
    /// Tests that only `cargo xtask soak` runs.
    pub(crate) ignored: u64,
    /// Closing lines, each under the name of its test program.
    pub(crate) closing: Vec<String>,
    program: Option<String>,
}

impl Tally {
    /// Takes one line of cargo's output. Returns whether the line is a runner's closing line, which is kept for the
    /// end instead of being shown where it stands.
    pub(crate) fn take(&mut self, line: &str) -> bool {
        let words = line.trim_start();
        if words.starts_with("Running ") || words.starts_with("Doc-tests ") {
            self.program = Some(line.to_owned());
        }
        let Some(counts) = line.strip_prefix("test result: ") else { return false };
        let count = |name: &str| {
            let part = counts.split(['.', ';']).find_map(|part| part.trim().strip_suffix(name));
            part.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        self.passed += count("passed");
        self.failed += count("failed");
        self.ignored += count("ignored");
        self.closing.extend(self.program.take());
        self.closing.push(line.to_owned());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn closing_lines_are_counted_and_kept_under_their_program() {
        let output = "\
     Running unittests src/lib.rs (target/debug/deps/polevod-1)
running 2 tests
test one ... ok
test two ... FAILED
test result: FAILED. 1 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.20s
   Doc-tests wire
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.05s";
        let mut tally = Tally::default();
        let held_back = output.lines().filter(|line| tally.take(line)).count();
        assert_eq!((tally.passed, tally.failed, tally.ignored, held_back), (13, 1, 3, 2));
        expect![[r#"
            Running unittests src/lib.rs (target/debug/deps/polevod-1)
            test result: FAILED. 1 passed; 1 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.20s
               Doc-tests wire
            test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.05s"#]]
        .assert_eq(&tally.closing.join("\n"));
    }
}
