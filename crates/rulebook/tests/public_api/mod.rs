//! The public API of the crates for programs: every public item with its signature is in a text file beside this one,
//! so that it changes only on purpose.

mod signature;
mod sources;

use std::collections::BTreeMap;
use std::path::Path;

use support::golden;
use syn::{Item, Type};

use signature::is_hidden;
use sources::{ModulePath, Sources, Target, parts};

/// Items in public signatures that are not public, because users get values of them but need not name their types.
const NOT_NAMED: [&str; 0] = [];

/// The names that are in scope everywhere.
const PRELUDE: &str = "AsMut AsRef Box Clone Copy Default DoubleEndedIterator Drop Eq Err ExactSizeIterator Extend Fn \
    FnMut FnOnce From FromIterator Future Into IntoFuture IntoIterator Iterator None Ok Option Ord PartialEq PartialOrd \
    Result Send Sized Some String Sync ToOwned ToString TryFrom TryInto Unpin Vec";

fn sources() -> Sources {
    let mut sources = Sources::default();
    for name in ["rulebook", "rulebook-model", "rulebook-cli", "rulebook-iapi", "rulebook-test"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        sources.add(&name.replace('-', "_"), &folder);
    }
    sources
}

/// What users of a module can name, and of the modules in it: for each, the path and what it stands for.
fn public_names(sources: &Sources, module: &ModulePath, shown: &str) -> Vec<(String, Target)> {
    let (modules, items): (Vec<_>, Vec<_>) =
        sources.exports(module).into_iter().partition(|(_, target)| matches!(target, Target::Module(_)));
    let mut names: Vec<_> = items.into_iter().map(|(name, target)| (format!("{shown}::{name}"), target)).collect();
    for (name, target) in modules {
        if let Target::Module(module) = target {
            names.extend(public_names(sources, &module, &format!("{shown}::{name}")));
        }
    }
    names
}

/// The signatures of an item and its implementations, each with the module that it is in.
fn signatures(sources: &Sources, target: &Target, is_public: impl Fn(&Target) -> bool) -> Vec<(ModulePath, String)> {
    let Target::Item(module, name) = target else { return Vec::new() };
    let of_last_segment = |module: &ModulePath, path: &syn::Path| {
        let last = path.segments.last().map(|segment| segment.ident.to_string());
        last.and_then(|name| sources.resolve(module, &name))
    };
    let item = sources.modules[module].iter().filter(|item| parts(item).is_some_and(|(own, ..)| own == name));
    let mut all: Vec<_> = item.map(|item| (module.clone(), signature::print(item))).collect();
    let mut of_traits = Vec::new();
    for (module, items) in &sources.modules {
        for item in items {
            let Item::Impl(block) = item else { continue };
            let Type::Path(own) = &*block.self_ty else { continue };
            if of_last_segment(module, &own.path).as_ref() != Some(target) || is_hidden(&block.attrs) {
                continue;
            }
            let printed = (module.clone(), signature::print(item));
            match &block.trait_ {
                None => all.push(printed),
                Some((_, path, _)) if of_last_segment(module, path).is_none_or(|item| is_public(&item)) => {
                    of_traits.push(printed);
                }
                Some(_) => {}
            }
        }
    }
    of_traits.sort_by(|(_, a), (_, b)| a.cmp(b));
    all.extend(of_traits);
    all.retain(|(_, text)| !text.is_empty());
    all
}

/// Compares the public API of a crate with its file, and tests that all types in its signatures can be named.
fn compare(name: &str) {
    let sources = sources();
    let crate_name = name.replace('-', "_");
    let names = public_names(&sources, &vec![crate_name.clone()], &crate_name);
    let mut public: BTreeMap<Target, &str> = BTreeMap::new();
    for (path, target) in &names {
        let before = public.insert(target.clone(), path);
        assert_eq!(before, None, "the same as {path}: every item has one path");
        let last = path.rsplit("::").next().unwrap();
        assert!(!PRELUDE.split_whitespace().any(|name| name == last), "{path} shadows a name of the prelude");
    }
    let library = public_names(&sources, &vec!["rulebook".to_owned()], "rulebook");
    let is_public = |item: &Target| public.contains_key(item) || library.iter().any(|(_, target)| target == item);
    let mut text = String::new();
    let mut unnamed = Vec::new();
    for (path, target) in &names {
        text += &format!("// {path}\n");
        for (module, signature) in signatures(&sources, target, is_public) {
            let types = signature.split(|character: char| !character.is_alphanumeric() && character != '_');
            for word in types.filter(|word| word.starts_with(char::is_uppercase)) {
                if let Some(item @ Target::Item(..)) = sources.resolve(&module, word)
                    && !is_public(&item)
                    && !NOT_NAMED.contains(&word)
                {
                    unnamed.push(format!("{word} in {path}"));
                }
            }
            text += &signature;
        }
        text.push('\n');
    }
    unnamed.dedup();
    assert!(unnamed.is_empty(), "not public: {unnamed:#?}");
    golden::compare(Path::new(&format!("tests/public_api/{name}.txt")), &text);
}

#[test]
fn the_public_api_of_rulebook_changes_on_purpose() {
    compare("rulebook");
}

#[test]
fn the_public_api_of_rulebook_cli_changes_on_purpose() {
    compare("rulebook-cli");
}

#[test]
fn the_public_api_of_rulebook_iapi_changes_on_purpose() {
    compare("rulebook-iapi");
}

#[test]
fn the_public_api_of_rulebook_test_changes_on_purpose() {
    compare("rulebook-test");
}
