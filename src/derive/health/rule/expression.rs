//! Expressions of rules: `0.7 * curve(engine_speed_rpm, 600: 80, 1800: 250)`, `coolant_temp_c > 60 and load > 70`.
//!
//! ```text
//! or ─ and ─ not ─ comparison ─ sum ─ product ─ value | (…) | curve(…) | min(…) | max(…) | abs(…)
//! ```
//!
//! A value that is not known is NaN, and stays NaN through arithmetic. Conditions have three values: 1 true, 0 false,
//! NaN not known; `x and y` is false where either is false, whatever the other is.

use super::block::Block;

/// Deepest nesting: an expression of a person has two or three levels.
const MAX_DEPTH: u32 = 32;
/// Longest text.
const MAX_LENGTH: usize = 1_000;

/// A parsed expression; names are columns of a [`Block`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Column(usize),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Abs(Box<Expression>),
    /// Straight lines between points that ascend in x; level beyond the ends.
    Curve(Box<Expression>, Vec<(f64, f64)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Min,
    Max,
    Above,
    Below,
    AtLeast,
    AtMost,
    Equal,
    Unequal,
    And,
    Or,
}

impl Expression {
    /// Parses `text`; `column` finds the column of a name or says why there is none.
    pub(super) fn parse(text: &str, column: &mut dyn FnMut(&str) -> Result<usize, String>) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("the expression has {} bytes; at most {MAX_LENGTH} are allowed", text.len()));
        }
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, column };
        let expression = parser.or()?;
        match parser.peek() {
            None => Ok(expression),
            Some(token) => {
                Err(format!("{} is not expected in {text:?}; join values by + - * / > < and or", token.text()))
            }
        }
    }

    /// Whether it is true or false, rather than a value.
    pub(super) fn is_condition(&self) -> bool {
        match self {
            Self::Not(_) => true,
            Self::Binary(operator, ..) => operator.is_of_conditions(),
            Self::Number(_) | Self::Column(_) | Self::Abs(_) | Self::Curve(..) => false,
        }
    }

    /// The columns it reads.
    pub(super) fn columns(&self, columns: &mut Vec<usize>) {
        match self {
            Self::Number(_) => {}
            Self::Column(column) => columns.push(*column),
            Self::Binary(_, left, right) => {
                left.columns(columns);
                right.columns(columns);
            }
            Self::Not(inner) | Self::Abs(inner) | Self::Curve(inner, _) => inner.columns(columns),
        }
    }

    /// The value at each sample of a block.
    pub(super) fn evaluate(&self, block: &Block) -> Vec<f64> {
        match self {
            Self::Number(number) => vec![*number; block.len()],
            Self::Column(column) => block.column(*column).to_vec(),
            Self::Binary(operator, left, right) => {
                let mut values = left.evaluate(block);
                match &**right {
                    Self::Number(number) => {
                        values.iter_mut().for_each(|value| *value = operator.apply(*value, *number))
                    }
                    right => {
                        let others = right.evaluate(block);
                        values.iter_mut().zip(others).for_each(|(value, other)| *value = operator.apply(*value, other));
                    }
                }
                values
            }
            Self::Not(inner) => each(inner.evaluate(block), |value| 1.0 - value),
            Self::Abs(inner) => each(inner.evaluate(block), f64::abs),
            Self::Curve(inner, points) => each(inner.evaluate(block), |value| on_curve(points, value)),
        }
    }
}

fn each(mut values: Vec<f64>, change: impl Fn(f64) -> f64) -> Vec<f64> {
    values.iter_mut().for_each(|value| *value = change(*value));
    values
}

impl Operator {
    fn is_of_conditions(self) -> bool {
        !matches!(self, Self::Add | Self::Subtract | Self::Multiply | Self::Divide | Self::Min | Self::Max)
    }

    #[inline]
    fn apply(self, left: f64, right: f64) -> f64 {
        let truth = |known: bool| if left.is_nan() || right.is_nan() { f64::NAN } else { f64::from(u8::from(known)) };
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide if right == 0.0 => f64::NAN,
            Self::Divide => left / right,
            // Of a value that is not known nothing is the least.
            Self::Min | Self::Max if left.is_nan() || right.is_nan() => f64::NAN,
            Self::Min => left.min(right),
            Self::Max => left.max(right),
            Self::Above => truth(left > right),
            Self::Below => truth(left < right),
            Self::AtLeast => truth(left >= right),
            Self::AtMost => truth(left <= right),
            Self::Equal => truth(left == right),
            Self::Unequal => truth(left != right),
            Self::And if left == 0.0 || right == 0.0 => 0.0,
            Self::And => left * right,
            Self::Or if left == 1.0 || right == 1.0 => 1.0,
            Self::Or => left + right,
        }
    }
}

fn on_curve(points: &[(f64, f64)], x: f64) -> f64 {
    if x.is_nan() {
        return f64::NAN;
    }
    let after = points.partition_point(|(at, _)| *at <= x);
    match (after.checked_sub(1).map(|before| points[before]), points.get(after)) {
        (Some((x0, y0)), Some(&(x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
        (Some((_, y)), None) | (None, Some(&(_, y))) => y,
        (None, None) => f64::NAN,
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Symbol(&'static str),
}

impl Token {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Name(name) => format!("{name:?}"),
            Self::Symbol(symbol) => format!("{symbol:?}"),
        }
    }
}

const SYMBOLS: [&str; 15] = [">=", "<=", "==", "!=", ">", "<", "+", "-", "*", "/", "(", ")", ",", ":", "="];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length_of = |belongs: fn(char) -> bool| rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let length = if first.is_ascii_digit() {
            let length = length_of(|c| c.is_ascii_digit() || c == '.');
            let number = rest[..length].parse().map_err(|_| format!("{:?} is no number", &rest[..length]))?;
            tokens.push(Token::Number(number));
            length
        } else if first.is_ascii_alphabetic() {
            let length = length_of(|c| c.is_ascii_alphanumeric() || c == '_');
            tokens.push(Token::Name(rest[..length].into()));
            length
        } else {
            let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
            let symbol = symbol.ok_or_else(|| format!("the character {first:?} has no meaning in an expression"))?;
            tokens.push(Token::Symbol(symbol));
            symbol.len()
        };
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: u32,
    column: &'a mut dyn FnMut(&str) -> Result<usize, String>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, text: &str) -> bool {
        let is_next = match self.peek() {
            Some(Token::Symbol(symbol)) => *symbol == text,
            Some(Token::Name(name)) => name == text,
            _ => false,
        };
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, text: &str) -> Result<(), String> {
        if self.takes(text) {
            return Ok(());
        }
        let found = self.peek().map_or("the end".into(), Token::text);
        Err(format!("{text:?} is expected, {found} is there"))
    }

    /// `inner` joined by any of `operators`, from the left.
    fn joined(
        &mut self,
        operators: &[(&str, Operator)],
        inner: fn(&mut Self) -> Result<Expression, String>,
    ) -> Result<Expression, String> {
        let mut left = inner(self)?;
        'more: loop {
            for (text, operator) in operators {
                if self.takes(text) {
                    left = Expression::Binary(*operator, Box::new(left), Box::new(inner(self)?));
                    continue 'more;
                }
            }
            return Ok(left);
        }
    }

    fn or(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("parentheses nest deeper than {MAX_DEPTH}"));
        }
        let expression = self.joined(&[("or", Operator::Or)], Self::and)?;
        self.depth -= 1;
        Ok(expression)
    }

    fn and(&mut self) -> Result<Expression, String> {
        self.joined(&[("and", Operator::And)], Self::not)
    }

    fn not(&mut self) -> Result<Expression, String> {
        // A row of "not" is folded into none or one, so that it cannot nest.
        let mut negated = false;
        while self.takes("not") {
            negated = !negated;
        }
        let inner = self.comparison()?;
        Ok(if negated { Expression::Not(Box::new(inner)) } else { inner })
    }

    fn comparison(&mut self) -> Result<Expression, String> {
        let left = self.sum()?;
        let comparisons = [
            (">=", Operator::AtLeast),
            ("<=", Operator::AtMost),
            ("==", Operator::Equal),
            ("=", Operator::Equal),
            ("!=", Operator::Unequal),
            (">", Operator::Above),
            ("<", Operator::Below),
        ];
        for (text, operator) in comparisons {
            if self.takes(text) {
                return Ok(Expression::Binary(operator, Box::new(left), Box::new(self.sum()?)));
            }
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expression, String> {
        self.joined(&[("+", Operator::Add), ("-", Operator::Subtract)], Self::product)
    }

    fn product(&mut self) -> Result<Expression, String> {
        self.joined(&[("*", Operator::Multiply), ("/", Operator::Divide)], Self::value)
    }

    fn value(&mut self) -> Result<Expression, String> {
        let negative = self.takes("-");
        let token = self.peek().cloned().ok_or("the expression ends where a value is expected")?;
        self.at += 1;
        let value = match token {
            Token::Number(number) => Expression::Number(number),
            Token::Symbol("(") => {
                let inner = self.or()?;
                self.expect(")")?;
                inner
            }
            Token::Name(name) if self.takes("(") => {
                let call = self.call(&name)?;
                self.expect(")")?;
                call
            }
            Token::Name(name) => Expression::Column((self.column)(&name)?),
            other => return Err(format!("{} is there where a value is expected", other.text())),
        };
        Ok(match value {
            Expression::Number(number) if negative => Expression::Number(-number),
            value if negative => {
                Expression::Binary(Operator::Subtract, Box::new(Expression::Number(0.0)), Box::new(value))
            }
            value => value,
        })
    }

    /// What stands between the parentheses of a function.
    fn call(&mut self, name: &str) -> Result<Expression, String> {
        let first = self.or()?;
        let operator = match name {
            "abs" => return Ok(Expression::Abs(Box::new(first))),
            "curve" => return self.curve(first),
            "min" => Operator::Min,
            "max" => Operator::Max,
            other => return Err(format!("{other:?} is no function; curve, min, max and abs are")),
        };
        let mut value = first;
        while self.takes(",") {
            value = Expression::Binary(operator, Box::new(value), Box::new(self.or()?));
        }
        Ok(value)
    }

    fn curve(&mut self, of: Expression) -> Result<Expression, String> {
        let mut points: Vec<(f64, f64)> = Vec::new();
        while self.takes(",") {
            let x = self.number()?;
            self.expect(":")?;
            let y = self.number()?;
            if points.last().is_some_and(|(before, _)| *before >= x) {
                return Err(format!("the points of a curve ascend; {x} does not"));
            }
            points.push((x, y));
        }
        if points.len() < 2 {
            return Err("a curve has at least two points: curve(engine_speed_rpm, 600: 80, 1800: 250)".into());
        }
        Ok(Expression::Curve(Box::new(of), points))
    }

    fn number(&mut self) -> Result<f64, String> {
        let sign = if self.takes("-") { -1.0 } else { 1.0 };
        match self.peek().cloned() {
            Some(Token::Number(number)) => {
                self.at += 1;
                Ok(sign * number)
            }
            other => {
                let found = other.map_or("the end".into(), |token| token.text());
                Err(format!("a number is expected, {found} is there"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    /// Evaluates with a = 3, b = 4, none = not known.
    fn check(text: &str, expected: Expect) {
        let names = ["a", "b", "none"];
        let column = &mut |name: &str| {
            names.iter().position(|known| *known == name).ok_or_else(|| format!("{name:?} is no signal"))
        };
        let outcome = match Expression::parse(text, column) {
            Ok(expression) => {
                let block = Block::of_columns(vec![0], vec![vec![3.0], vec![4.0], vec![f64::NAN]]);
                expression.evaluate(&block)[0].to_string()
            }
            Err(message) => message,
        };
        expected.assert_eq(&outcome);
    }

    #[test]
    fn arithmetic_binds_as_in_school() {
        check("a + b * 2 - 1", expect!["10"]);
        check("(a + b) * 2 / 7", expect!["2"]);
        check("-a - -b", expect!["1"]);
        check("min(a, b, 2) + max(a, b) + abs(a - b)", expect!["7"]);
        check("a / (b - 4)", expect!["NaN"]);
    }

    #[test]
    fn conditions_know_three_values() {
        check("a > 2 and b <= 4", expect!["1"]);
        check("a > 2 and none > 0", expect!["NaN"]);
        check("a > 5 and none > 0", expect!["0"]);
        check("a > 2 or none > 0", expect!["1"]);
        check("a > 5 or none > 0", expect!["NaN"]);
        check("not a > 5", expect!["1"]);
        check("not not not a = 3", expect!["0"]);
        check("not none", expect!["NaN"]);
    }

    #[test]
    fn a_curve_is_straight_between_points_and_level_beyond() {
        check("curve(a, 2: 10, 4: 30)", expect!["20"]);
        check("curve(a, 4: 10, 6: 30)", expect!["10"]);
        check("0.5 * curve(b, -1: -10, 4: 30)", expect!["15"]);
        check("curve(none, 2: 10, 4: 30)", expect!["NaN"]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        check("", expect!["the expression ends where a value is expected"]);
        check("a +", expect!["the expression ends where a value is expected"]);
        check("a b", expect![[r#""b" is not expected in "a b"; join values by + - * / > < and or"#]]);
        check("(a", expect![[r#"")" is expected, the end is there"#]]);
        check("speed > 3", expect![[r#""speed" is no signal"#]]);
        check("a & b", expect!["the character '&' has no meaning in an expression"]);
        check("1.2.3", expect![[r#""1.2.3" is no number"#]]);
        check("median(a)", expect![[r#""median" is no function; curve, min, max and abs are"#]]);
        check("curve(a, 4: 1, 2: 3)", expect!["the points of a curve ascend; 2 does not"]);
        check(
            "curve(a, 4: 1)",
            expect!["a curve has at least two points: curve(engine_speed_rpm, 600: 80, 1800: 250)"],
        );
        check(&"(".repeat(40), expect!["parentheses nest deeper than 32"]);
        check(&"a+".repeat(600), expect!["the expression has 1200 bytes; at most 1000 are allowed"]);
    }
}
