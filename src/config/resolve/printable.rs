//! Texts that reports and terminals show as they are: what may stand in them, and how much.

use crate::config::mistake::Mistake;

/// Checks a text. `what` is what to call it, such as "name"; `max` is in characters.
///
/// # Errors
///
/// If a character cannot be seen, or there are too many.
pub fn check(text: &str, what: &str, max: usize) -> Result<(), Mistake> {
    if let Some(character) = text.chars().find(|c| !is_printable(*c)) {
        let code = u32::from(character);
        return Err(
            Mistake::new(format!("the character U+{code:04X} cannot be printed")).help(format!(
                "a {what} goes into reports and on terminals: use visible characters and spaces"
            )),
        );
    }
    let length = text.chars().count();
    if length > max {
        return Err(Mistake::new(format!("the {what} has {length} characters"))
            .help(format!("at most {max} are allowed")));
    }
    Ok(())
}

/// Whether a character can stand in a text that is shown: no control characters, and none that is
/// invisible or turns the direction of the text around (Unicode category Cf, as far as it occurs in
/// deceit).
fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}')
}
