//! The line on standard error that names the error with which a program ended.

/// Chooses the line that names an error. Python writes it after the stack, Node and PHP before it.
#[derive(Debug, Default)]
pub struct ErrorLine {
    /// The last line that names an error, and its place.
    found: Option<(String, Option<String>)>,
    /// The last place before the next line that names an error.
    place: Option<String>,
    /// `true` if the next line that is not indented names the error: after carets below the code, or lines of a stack
    /// in Python.
    is_marked: bool,
    last: String,
}

impl ErrorLine {
    pub fn add(&mut self, line: &str) {
        line.clone_into(&mut self.last);
        if !line.contains(char::is_alphanumeric) {
            self.is_marked |= line.contains('^');
            return;
        }
        let place = place(line);
        if line.starts_with(char::is_whitespace) || place.is_some() {
            self.place = place.or(self.place.take());
            self.is_marked |= python_frame(line).is_some();
            if let Some((_, found_place @ None)) = &mut self.found {
                found_place.clone_from(&self.place);
            }
        } else if std::mem::take(&mut self.is_marked) || names_error(line) {
            self.found = Some((line.to_owned(), self.place.take()));
        }
    }

    /// Describes the error: the line that names it, or else the last line.
    pub fn describe(self) -> Option<String> {
        match self.found {
            Some((line, Some(place))) if !line.contains(&place) => Some(format!("its error: {line} ({place})")),
            Some((line, _)) => Some(format!("its error: {line}")),
            None => (!self.last.is_empty()).then(|| format!("its last line on standard error: {}", self.last)),
        }
    }
}

/// Returns `true` if a line begins with the name of an error and a colon, such as `TypeError: `, `Error [CODE]: ` or
/// `PHP Fatal error:  `.
fn names_error(line: &str) -> bool {
    let names_error = |name: &str| ["Error", "Exception", " error"].iter().any(|word| name.contains(word));
    line.split_once(": ").is_some_and(|(name, _)| names_error(name))
}

/// Returns the place of the code that a line of a stack names, such as `/srv/handlers.mjs:12`. The line is
/// `  File "…", line 12`, `    at name (file:///…:12:5)` or `file:///…:12`.
fn place(line: &str) -> Option<String> {
    if let Some((path, rest)) = python_frame(line) {
        return Some(format!("{path}:{}", rest.split(',').next().unwrap_or_default()));
    }
    let address = match line.trim_start().strip_prefix("at ") {
        // The column follows the line.
        Some(frame) => frame.rsplit(" (").next()?.rsplit_once(':')?.0,
        None => line,
    };
    let address = address.trim_start_matches("async ").trim_start_matches("file://");
    let (path, number) = address.rsplit_once(':')?;
    (path.starts_with('/') && number.parse::<u32>().is_ok()).then(|| address.to_owned())
}

/// Returns the path, and the number of the line with what follows it, in a line of a stack in Python.
fn python_frame(line: &str) -> Option<(&str, &str)> {
    line.trim_start().strip_prefix("File \"")?.split_once("\", line ")
}
