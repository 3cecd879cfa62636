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

/// Types in public signatures that are not public. Users pass functions that have them to others, and do not name them.
const NOT_NAMED: [&str; 5] =
    ["CacheParameters", "DownloadParameters", "MountedService", "UploadAllParameters", "UploadParameters"];

/// The names that are in scope everywhere.
const PRELUDE: &str = "AsMut AsRef Box Clone Copy Default DoubleEndedIterator Drop Eq Err ExactSizeIterator Extend Fn \
    FnMut FnOnce From FromIterator Future Into IntoFuture IntoIterator Iterator None Ok Option Ord PartialEq PartialOrd \
    Result Send Sized Some String Sync ToOwned ToString TryFrom TryInto Unpin Vec";

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

/// Compares the public API of a crate with its file. Every item must have one path, no name of the prelude, and only
/// types in its signatures that users can name.
fn compare(name: &str) {
    let crate_name = name.replace('-', "_");
    let mut sources = Sources::default();
    for name in ["rulebook", "rulebook-model", name] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        sources.add(&name.replace('-', "_"), &folder);
    }
    let names = public_names(&sources, &vec![crate_name.clone()], &crate_name);
    let mut public: BTreeMap<Target, String> = BTreeMap::new();
    for (path, target) in &names {
        let other = public.insert(target.clone(), path.clone());
        assert_eq!(other, None, "the same as {path}: every item has one path");
        let name = path.rsplit("::").next().unwrap_or_default();
        assert!(PRELUDE.split(' ').all(|known| known != name), "{path} shadows a name of the prelude");
    }
    public.extend(public_names(&sources, &vec!["rulebook".to_owned()], "rulebook").into_iter().map(|(a, b)| (b, a)));
    let implementations = implementations(&sources, &public);
    let mut text = String::new();
    let mut unnamed = Vec::new();
    for (path, target) in &names {
        text += &format!("// {path}\n");
        let signatures = signatures_of_item(&sources, target);
        for (module, signature) in signatures.iter().chain(implementations.get(target).into_iter().flatten()) {
            let words = signature.split(|character: char| !character.is_alphanumeric() && character != '_');
            for word in words.filter(|word| word.starts_with(char::is_uppercase) && !NOT_NAMED.contains(word)) {
                if sources.resolve(module, word).is_some_and(|item| is_private(&item, &public)) {
                    unnamed.push(format!("{word} in {path}"));
                }
            }
            text += signature;
        }
        text.push('\n');
    }
    assert!(unnamed.is_empty(), "types in public signatures that are not public: {unnamed:#?}");
    golden::compare(Path::new(&format!("tests/public_api/{name}.txt")), &text);
}

/// Returns `true` for an item of our crates that users cannot name.
fn is_private(item: &Target, public: &BTreeMap<Target, String>) -> bool {
    matches!(item, Target::Item(..)) && !public.contains_key(item)
}

/// The items that users of a module can name, and those of the modules in it: their paths, and what they are.
fn public_names(sources: &Sources, module: &ModulePath, path: &str) -> Vec<(String, Target)> {
    let exports = sources.exports(module);
    let (modules, items): (Vec<_>, Vec<_>) =
        exports.into_iter().partition(|(_, target)| matches!(target, Target::Module(_)));
    let mut names: Vec<_> = items.into_iter().map(|(name, target)| (format!("{path}::{name}"), target)).collect();
    for (name, target) in modules {
        if let Target::Module(module) = target {
            names.extend(public_names(sources, &module, &format!("{path}::{name}")));
        }
    }
    names
}

/// The signature of an item, with the module that it is in; several if there is one for each of several conditions.
fn signatures_of_item(sources: &Sources, target: &Target) -> Vec<(ModulePath, String)> {
    let (module, name) = match target {
        Target::Item(module, name) => (module, name),
        Target::Foreign(path) => return vec![(Vec::new(), format!("pub use {path};\n"))],
        Target::Module(_) => return Vec::new(),
    };
    let items = sources.modules[module].iter().filter(|item| parts(item).is_some_and(|(own, ..)| own == name));
    items.map(|item| (module.clone(), signature::print(item))).collect()
}

/// The public implementations of all types: first their own functions, then those of traits.
fn implementations(
    sources: &Sources,
    public: &BTreeMap<Target, String>,
) -> BTreeMap<Target, Vec<(ModulePath, String)>> {
    let mut found: BTreeMap<Target, Vec<(bool, String, ModulePath)>> = BTreeMap::new();
    let resolve = |module: &ModulePath, path: &syn::Path| {
        let name = path.segments.last().map(|segment| segment.ident.to_string());
        name.and_then(|name| sources.resolve(module, &name))
    };
    for (module, items) in &sources.modules {
        for item in items {
            let Item::Impl(block) = item else { continue };
            let Type::Path(name) = &*block.self_ty else { continue };
            let Some(target) = resolve(module, &name.path).filter(|_| !is_hidden(&block.attrs)) else { continue };
            let of_trait = block.trait_.as_ref().and_then(|(_, path, _)| resolve(module, path));
            if !of_trait.is_some_and(|item| is_private(&item, public)) {
                let text = signature::print(item);
                found.entry(target).or_default().push((block.trait_.is_some(), text, module.clone()));
            }
        }
    }
    let ordered = found.into_iter().map(|(target, mut found)| {
        found.sort();
        (target, found.into_iter().map(|(_, text, module)| (module, text)).collect())
    });
    ordered.collect()
}
