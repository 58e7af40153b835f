//! Splits SQL into words, strings and signs: as much of the language as finding conditions needs.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A keyword, name, number or parameter.
    Word,
    /// A string in quotes.
    Text,
    /// One sign, such as a parenthesis or a comma.
    Sign,
}

/// A piece of SQL, and how many parentheses are open before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'sql> {
    /// What it is.
    pub kind: Kind,
    /// What stands there.
    pub text: &'sql str,
    /// Its first byte.
    pub start: usize,
    /// How many parentheses are open; of a parenthesis itself, how many are open around it.
    pub depth: usize,
}

impl Token<'_> {
    /// The byte after its last.
    #[must_use]
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this keyword or sign.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.kind != Kind::Text && self.text == text
    }
}

/// The tokens of a text, comments left out. The body of a function, between `$$`, is read as SQL too.
#[must_use]
pub fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut start, mut depth) = (0, 0_usize);
    while let Some(first) = sql[start..].chars().next() {
        let rest = &sql[start..];
        let (kind, length) = if first.is_whitespace() {
            start += first.len_utf8();
            continue;
        } else if rest.starts_with("--") {
            start += rest.find('\n').unwrap_or(rest.len());
            continue;
        } else if first == '\'' {
            (Kind::Text, rest[1..].find('\'').map_or(rest.len(), |end| end + 2))
        } else if is_word(first) {
            (Kind::Word, rest.find(|next| !is_word(next)).unwrap_or(rest.len()))
        } else {
            (Kind::Sign, first.len_utf8())
        };
        let text = &rest[..length];
        if text == ")" {
            depth = depth.saturating_sub(1);
        }
        found.push(Token { kind, text, start, depth });
        if text == "(" {
            depth += 1;
        }
        start += length;
    }
    found
}

fn is_word(sign: char) -> bool {
    sign.is_alphanumeric() || matches!(sign, '_' | '.' | '$')
}
