//! Reads one `@return` annotation.

/// The types in the dialect `rules`, each with the names of it that PHP and its documents use. The last names are also
/// names of outputs: before one of the first names, they are no types.
const TYPES: [(&str, &str, &str); 9] = [
    ("string", "string", "str text varchar char url uri email html"),
    ("int", "int integer", "timestamp long short bigint smallint tinyint uint int32 int64"),
    ("float", "float double", "number numeric decimal real"),
    ("boolean", "boolean bool", "true false"),
    ("array", "array", "list arr"),
    ("object", "object", "obj map hash"),
    ("fixed", "mixed fixed", "json any"),
    ("enum", "enum", ""),
    ("date", "", "date datetime"),
];

/// The words that stand for no value.
const NO_VALUE: [&str; 5] = ["null", "void", "none", "nil", "never"];

/// The characters that can separate the name of an output from its description.
const SEPARATORS: [char; 9] = [',', ';', ':', '=', '，', '；', '：', '、', '。'];
/// The characters with which a description can begin without a blank.
const PARENTHESES: [char; 2] = ['(', '（'];

/// The maximum number of steps to an output.
const MAX_STEPS: usize = 32;

/// A step in the path of an output.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Field(String),
    /// The items of an array: `[]`.
    Items,
}

/// An annotation that was understood.
#[derive(Debug)]
pub(super) struct Output {
    /// The steps to the output; empty if the annotation describes all that the method returns.
    pub path: Vec<Step>,
    pub type_name: &'static str,
    pub description: String,
}

/// Reads an annotation, the text after `@return`. `warn` gets a message if the text is not understood.
pub(super) fn read(text: &str, warn: &mut dyn FnMut(&str)) -> Vec<Output> {
    members_of_array(text).unwrap_or_else(|| read_words(text, warn).into_iter().collect())
}

/// Reads an annotation such as `int list[].id The id`. Returns `None` for one that describes nothing.
fn read_words(text: &str, warn: &mut dyn FnMut(&str)) -> Option<Output> {
    let (first, rest) = split_word(text);
    let (second, after) = split_name(rest);
    let output = |path, type_name, description: &str| {
        Some(Output { path, type_name, description: description.trim_start_matches(SEPARATORS).trim().to_owned() })
    };
    let is_certain = |word: &str| TYPES.iter().any(|(_, certain, _)| is_in(certain, word));
    // `string The name` describes what is returned, and names nothing.
    let begins_sentence = ["The", "A", "An"].contains(&second) && !after.trim().is_empty();
    match (type_of(first), read_path(second).filter(|_| !begins_sentence)) {
        _ if first.is_empty() || NO_VALUE.iter().any(|name| name.eq_ignore_ascii_case(first)) => None,
        // The words are in the wrong order: `url string The address`.
        (known, _) if is_certain(second) && !is_certain(first) && (known.is_none() || read_path(first).is_some()) => {
            let path = read_path(first);
            if path.is_none() {
                warn("the name is not understood: the output is not described");
            }
            output(path?, type_of(second)?, after)
        }
        (Some(type_name), Some(path)) => {
            if after.trim_start().starts_with(['.', '[', '|', '/']) || after.trim_start().starts_with("->") {
                warn(&format!("the name ends at the blank after `{second}`"));
            }
            output(path, type_name, after)
        }
        // Only a type and a description: it describes all that the method returns.
        (Some(type_name), None) => {
            if resembles_name(second, after) {
                warn("the name is not understood: the annotation describes all that the method returns");
            }
            output(Vec::new(), type_name, rest)
        }
        (None, Some(path)) => {
            warn(&format!("the type `{first}` is unknown; replaced by `fixed`, which accepts every value"));
            output(path, "fixed", after)
        }
        (None, None) if is_class(first) => output(Vec::new(), "fixed", rest),
        // Only a name and a description.
        (None, None) => {
            let path = read_path(first).filter(|_| !rest.trim().is_empty());
            match &path {
                Some(_) => warn("the type is missing; it is `fixed`, which accepts every value"),
                None => warn("names no output: the output is not described"),
            }
            output(path?, "fixed", rest)
        }
    }
}

/// Returns `true` for the name of a class, such as `User` or `\Shop\User`.
fn is_class(word: &str) -> bool {
    let last = word.rsplit('\\').next().unwrap_or_default();
    last.starts_with(|char: char| char.is_ascii_uppercase()) && word.chars().all(is_in_type_name)
}

/// Reads an array in PHP's notation, such as `array('id' => the id, 'name' => the name)`.
fn members_of_array(text: &str) -> Option<Vec<Output>> {
    let text = text.trim();
    let inner = ["array(", "["].iter().find_map(|start| text.strip_prefix(start))?;
    let mut members = Vec::new();
    for member in inner.trim_end_matches([')', ']', ';']).split(',').filter(|member| !member.trim().is_empty()) {
        let (name, description) = member.split_once("=>")?;
        let name = field_name(name.trim().trim_matches(['"', '\'']))?;
        let description = description.trim().to_owned();
        members.push(Output { path: vec![Step::Field(name)], type_name: "fixed", description });
    }
    Some(members)
}

fn split_word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

/// Splits a text after the name of an output: at a blank, or at a character that separates a description.
fn split_name(text: &str) -> (&str, &str) {
    let (word, rest) = split_word(text);
    let is_end = |char: char| SEPARATORS.contains(&char) || PARENTHESES.contains(&char);
    let end = word.find(is_end).filter(|end| read_path(&word[..*end]).is_some());
    end.map_or((word, rest), |end| text.trim_start().split_at(end))
}

/// Returns `true` for a word that is not a name, and probably not a word of a description either.
fn resembles_name(word: &str, after: &str) -> bool {
    let without_end = word.trim_end_matches(['.', '!', '?', ')', ',', ';', ':']);
    let is_start = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '$' | '[' | '\'' | '"' | '`');
    let is_letter = |char: char| char.is_ascii_alphabetic() || matches!(char, '_' | '-');
    // The name of `info. name` ends with a dot, and so does the last word of a sentence.
    let is_parent =
        word.ends_with('.') && word.starts_with(|char: char| char.is_ascii_lowercase()) && !after.is_empty();
    word.starts_with(is_start) && (is_parent || !without_end.chars().all(is_letter))
}

/// Returns the type that a word names, such as `int`, `int|null` or `User[]`. Returns `None` for other words.
fn type_of(word: &str) -> Option<&'static str> {
    let word = word.trim_start_matches('?');
    if word.ends_with("[]") && word.trim_end_matches("[]").chars().all(is_in_type_name) {
        return Some("array");
    }
    let word = word.split_once('<').map_or(word, |(name, _)| name);
    let alternatives: Vec<&str> =
        word.split(['|', '/']).filter(|name| !NO_VALUE.contains(&&*name.to_lowercase())).collect();
    let find = |name: &&str| TYPES.iter().find(|(_, certain, others)| is_in(certain, name) || is_in(others, name));
    let mut types = alternatives.iter().map(|name| find(name).map(|(found, ..)| *found));
    let first = types.next()??;
    types.try_fold(first, |first, next| next.map(|next| if next == first { first } else { "fixed" }))
}

fn is_in(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|known| known.eq_ignore_ascii_case(word))
}

fn is_in_type_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_' || char == '\\'
}

/// Reads the path of an output: `list[].id`, `info[0].msg`, `info['id']`, `$info->id`.
fn read_path(word: &str) -> Option<Vec<Step>> {
    let word = word.trim_start_matches('$').trim_end_matches([',', ';', ':', '：', '，']);
    let word = word.trim_matches(['"', '\'', '`']).replace("->", ".");
    let mut path = Vec::new();
    for part in word.split('.') {
        let (name, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        match name {
            // A number in place of a name, and a missing name before brackets, are items.
            "*" => path.push(Step::Items),
            "" if !rest.is_empty() => {}
            _ if !path.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() => {
                path.push(Step::Items);
            }
            _ => path.push(Step::Field(field_name(name)?)),
        }
        while !rest.is_empty() {
            let (key, after) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted = key.trim_matches(['"', '\'']);
            let is_index = key == quoted && (key.len() <= 1 || key.bytes().all(|byte| byte.is_ascii_digit()));
            path.push(if is_index { Step::Items } else { Step::Field(field_name(quoted)?) });
            rest = after;
        }
    }
    (path.len() <= MAX_STEPS).then_some(path)
}

fn field_name(name: &str) -> Option<String> {
    let is_first = |char: char| char.is_ascii_alphabetic() || char == '_';
    let is_name =
        name.starts_with(is_first) && name.chars().all(|char| is_first(char) || char.is_ascii_digit() || char == '-');
    is_name.then(|| name.to_owned())
}
