//! Example calls with the JavaScript client `rulebook.js`.

use super::javascript::{indented_json, is_exact_in_javascript, string_literal};
use super::request::{is_file, parameters_to_send, sample_file_names, sample_value};
use super::{API_KEY_PLACEHOLDER, NAME_PLACEHOLDER, PASSWORD_PLACEHOLDER, SampleCredential, sample_credential};
use crate::call::AuthScheme;
use crate::describe::typescript::{argument_names, is_client_member};
use crate::model::{Api, Method};
use crate::types::Arity;

/// Returns JavaScript statements that call a method with `rulebook.js`. `server` is the URL of the server.
pub(super) fn format_client_code(api: &Api, server: &str, method: &Method) -> String {
    let names = argument_names(&method.parameters);
    let mut imports = vec!["rulebook"];
    let mut reads_files = false;
    let mut arguments = String::new();
    for parameter in parameters_to_send(method) {
        let Some(index) = method.parameters.iter().position(|other| std::ptr::eq(other, parameter)) else { continue };
        let value = if is_file(parameter) {
            reads_files = true;
            let file = |name: &String| {
                let name = string_literal(name);
                format!("new File([await readFile({name})], {name})")
            };
            let files: Vec<_> = sample_file_names(parameter).iter().map(file).collect();
            match parameter.r#type.check.arity() {
                Arity::Files => format!("[{}]", files.join(", ")),
                _ => files.concat(),
            }
        } else {
            let value = sample_value(method, parameter);
            if is_exact_in_javascript(&value) {
                indented_json(&value)
            } else {
                imports.push("Json");
                format!("new Json({})", string_literal(&value.to_string()))
            }
        };
        arguments.push_str(&format!("  {}: {value},\n", member_name(&names[index])));
    }
    imports.sort_unstable();
    imports.dedup();
    let mut text = format!(
        "import {{ {} }} from {};\n",
        imports.join(", "),
        string_literal(&format!("{server}/docs/rulebook.js"))
    );
    if reads_files {
        text.push_str("// In a page, a file comes from <input type=\"file\">: input.files[0].\n");
        text.push_str("const { readFile } = await import(\"node:fs/promises\");\n");
    }
    let options = sample_credential(api, method);
    let options = options.map_or_else(String::new, |credential| format!(", {}", credential_option(&credential)));
    let arguments = if arguments.is_empty() { arguments } else { format!("{{\n{arguments}}}") };
    let call = function_call(&method.id, &arguments);
    text.push_str(&format!("\nconst api = await rulebook({}{options});\n", string_literal(server)));
    text.push_str(&if method.options.download {
        format!("const {{ response, filename }} = await {call};\nconsole.log(filename, await response.blob());")
    } else {
        format!("const outputs = await {call};\nconsole.log(outputs);")
    });
    text
}

fn credential_option(credential: &SampleCredential) -> String {
    let SampleCredential::Field(name, value) = credential else {
        let (name, password) = (string_literal(NAME_PLACEHOLDER), string_literal(PASSWORD_PLACEHOLDER));
        return format!("{{ basic: {{ name: {name}, password: {password} }} }}");
    };
    let is_bearer = AuthScheme::bearer().header_field(API_KEY_PLACEHOLDER) == Some((name.clone(), value.clone()));
    if is_bearer {
        return format!("{{ token: {} }}", string_literal(API_KEY_PLACEHOLDER));
    }
    format!("{{ headers: {{ {}: {} }} }}", string_literal(name), string_literal(value))
}

/// Returns the call of a method's function. `arguments` is an object literal, or empty.
fn function_call(id: &str, arguments: &str) -> String {
    if !is_client_member(id) {
        let separator = if arguments.is_empty() { "" } else { ", " };
        return format!("api.$call({}{separator}{arguments})", string_literal(id));
    }
    let member = |name: &str| {
        if is_identifier(name) { format!(".{name}") } else { format!("[{}]", string_literal(name)) }
    };
    format!("api{}({arguments})", id.split('.').map(member).collect::<String>())
}

/// Formats the name of a member in an object literal.
fn member_name(name: &str) -> String {
    // `__proto__` without brackets would set the prototype of the object instead of adding a member.
    match name {
        "__proto__" => "[\"__proto__\"]".to_owned(),
        _ if is_identifier(name) => name.to_owned(),
        _ => string_literal(name),
    }
}

/// Returns `true` for names that can follow a dot in JavaScript. Names with non-ASCII letters are not included,
/// although JavaScript allows them.
fn is_identifier(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_' || c == '$';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}
