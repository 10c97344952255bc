//! What is wrong with one value, before it is known where that stands.

/// What is wrong with a value. Both texts may hold parts of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong, as the end of a sentence that begins with the key.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Mistake {
    /// A mistake without help.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    /// Adds help.
    pub fn help(self, help: impl Into<String>) -> Self {
        self.helped(Some(help))
    }

    /// Adds help where there is some.
    pub fn helped(self, help: Option<impl Into<String>>) -> Self {
        Self {
            help: help.map(Into::into).or(self.help),
            ..self
        }
    }
}

/// A text as it is quoted in a message: short, and without control characters.
pub fn quoted(text: &str) -> String {
    const MAX: usize = 60;
    let mut short: String = text.chars().take(MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    let plain: String = short
        .chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .collect();
    format!("`{plain}`")
}
