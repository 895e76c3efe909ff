//! Just enough of Rust's grammar to tell code, comments and literals apart.

/// What a character of a source text belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Code; the quotes around a literal too.
    Code,
    /// A comment with its marks.
    Comment,
    /// The inside of a string or character literal.
    Literal,
}

/// A source text with each character's class.
#[derive(Clone, Debug)]
pub struct Lexed {
    characters: Vec<(char, Class)>,
}

impl Lexed {
    /// Classifies a text. Anything is accepted: what is not Rust gets some class all the same.
    pub fn new(text: &str) -> Self {
        let source: Vec<char> = text.chars().collect();
        let mut scanner = Scanner { source: &source, characters: Vec::with_capacity(source.len()) };
        while scanner.position() < source.len() {
            scanner.step();
        }
        Self { characters: scanner.characters }
    }

    /// The text with everything but code turned to spaces; lines stay where they are.
    pub fn code(&self) -> String {
        self.keep(|class| class == Class::Code)
    }

    /// The text with everything but comments turned to spaces.
    pub fn comments(&self) -> String {
        self.keep(|class| class == Class::Comment)
    }

    /// For each line, whether some of it is inside a literal.
    pub fn lines_with_literals(&self) -> Vec<bool> {
        let lines = self.characters.split_inclusive(|(character, _)| *character == '\n');
        lines.map(|line| line.iter().any(|(_, class)| *class == Class::Literal)).collect()
    }

    fn keep(&self, wanted: impl Fn(Class) -> bool) -> String {
        let blank = |(character, class): &(char, Class)| {
            if *character == '\n' || wanted(*class) { *character } else { ' ' }
        };
        self.characters.iter().map(blank).collect()
    }
}

struct Scanner<'a> {
    source: &'a [char],
    /// What has been classified so far; its length is the position in `source`.
    characters: Vec<(char, Class)>,
}

impl Scanner<'_> {
    fn position(&self) -> usize {
        self.characters.len()
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.source.get(self.position() + ahead).copied()
    }

    fn looking_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, character)| self.peek(ahead) == Some(character))
    }

    /// Takes up to `count` characters as `class`.
    fn take(&mut self, count: usize, class: Class) {
        let rest = &self.source[self.position()..];
        self.characters.extend(rest.iter().take(count).map(|character| (*character, class)));
    }

    fn step(&mut self) {
        if self.looking_at("//") {
            let rest = &self.source[self.position()..];
            let length = rest.iter().position(|c| *c == '\n').unwrap_or(rest.len());
            self.take(length, Class::Comment);
        } else if self.looking_at("/*") {
            self.block_comment();
        } else if let Some(hashes) = self.raw_string_ahead() {
            self.raw_string(hashes);
        } else if self.looking_at("\"") {
            self.quoted('"');
        } else if self.looking_at("'") && self.is_character() {
            self.quoted('\'');
        } else {
            self.take(1, Class::Code);
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.peek(0).is_some() {
            if self.looking_at("/*") {
                depth += 1;
                self.take(2, Class::Comment);
            } else if self.looking_at("*/") {
                depth -= 1;
                self.take(2, Class::Comment);
            } else {
                self.take(1, Class::Comment);
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// At the `r` of a raw string: the number of its hashes.
    fn raw_string_ahead(&self) -> Option<usize> {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let before = self.characters.last().map(|(character, _)| *character);
        // The `r` of `br` and `cr` follows the prefix; after other letters it ends a name.
        if !self.looking_at("r") || before.is_some_and(|c| is_name(c) && c != 'b' && c != 'c') {
            return None;
        }
        let hashes = (1..).take_while(|ahead| self.peek(*ahead) == Some('#')).count();
        (self.peek(1 + hashes) == Some('"')).then_some(hashes)
    }

    fn raw_string(&mut self, hashes: usize) {
        self.take(hashes + 2, Class::Code);
        let end: String = core::iter::once('"').chain(core::iter::repeat_n('#', hashes)).collect();
        while self.peek(0).is_some() && !self.looking_at(&end) {
            self.take(1, Class::Literal);
        }
        self.take(hashes + 1, Class::Code);
    }

    /// Whether a single quote starts a character rather than a lifetime.
    fn is_character(&self) -> bool {
        self.peek(1) == Some('\\') || self.peek(2) == Some('\'')
    }

    fn quoted(&mut self, quote: char) {
        self.take(1, Class::Code);
        while let Some(character) = self.peek(0) {
            if character == quote {
                return self.take(1, Class::Code);
            }
            self.take(if character == '\\' { 2 } else { 1 }, Class::Literal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_are_told_from_code() {
        let cases = [
            (r#"let s = "a // {"; // }"#, r#"let s = "      ";     "#),
            (r#""\"{" + x"#, r#""   " + x"#),
            ("r\"\\\" + 1", "r\" \" + 1"),
            (r###"r#"a"b"# {"###, r###"r#"   "# {"###),
            (r###"br##"a"#"## {"###, r###"br##"   "## {"###),
            ("for x", "for x"),
            ("/* a /* { */ b */ c", "                  c"),
            ("'{' 'a 'b '\\'' '\\u{7b}'", "' ' 'a 'b '  ' '      '"),
            ("\"unfinished", "\"          "),
            ("/* unfinished", "             "),
        ];
        for (text, code) in cases {
            assert_eq!(Lexed::new(text).code(), code, "{text}");
        }
    }

    #[test]
    fn lines_stay_where_they_are() {
        let lexed = Lexed::new("a\n\"b\nc\"\n/* d\n*/ e // f\n");
        assert_eq!(lexed.code(), "a\n\" \n \"\n    \n   e     \n");
        assert_eq!(lexed.comments(), " \n  \n  \n/* d\n*/   // f\n");
        assert_eq!(lexed.lines_with_literals(), [false, true, true, false, false]);
    }
}
