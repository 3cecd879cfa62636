//! Tests that the public API of the crates for programs changes only on purpose. Each crate has a text file beside this
//! file, which contains every public item of the crate with its signature.

mod signature;
mod sources;

use std::collections::BTreeMap;
use std::path::Path;

use support::golden;
use syn::{Item, Type};

use signature::is_hidden_in_docs;
use sources::{ModulePath, NameTarget, Sources, declaration_parts};

/// Types that occur in public signatures although users cannot name them. Users only pass functions that have these
/// types to other functions.
const UNNAMED_TYPES: [&str; 5] =
    ["CacheParameters", "DownloadParameters", "MountedService", "UploadAllParameters", "UploadParameters"];

/// The names of Rust's prelude, which are in scope in every Rust module.
const PRELUDE_NAMES: &str = "AsMut AsRef Box Clone Copy Default DoubleEndedIterator Drop Eq Err ExactSizeIterator Extend Fn \
    FnMut FnOnce From FromIterator Future Into IntoFuture IntoIterator Iterator None Ok Option Ord PartialEq PartialOrd \
    Result Send Sized Some String Sync ToOwned ToString TryFrom TryInto Unpin Vec";

#[test]
fn public_api_of_rulebook_is_the_recorded_one() {
    compare_public_api("rulebook");
}

#[test]
fn public_api_of_rulebook_cli_is_the_recorded_one() {
    compare_public_api("rulebook-cli");
}

#[test]
fn public_api_of_rulebook_iapi_is_the_recorded_one() {
    compare_public_api("rulebook-iapi");
}

#[test]
fn public_api_of_rulebook_test_is_the_recorded_one() {
    compare_public_api("rulebook-test");
}

/// Compares the public API of a crate with its text file. Also checks that every item has a single path, that no item
/// has a name of the prelude, and that users can name every type in a signature.
fn compare_public_api(name: &str) {
    let crate_name = name.replace('-', "_");
    let mut sources = Sources::default();
    for name in ["rulebook", "rulebook-model", name] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src");
        sources.add_crate(&name.replace('-', "_"), &folder);
    }
    let names = public_items(&sources, &vec![crate_name.clone()], &crate_name);
    let mut public: BTreeMap<NameTarget, String> = BTreeMap::new();
    for (path, target) in &names {
        let other = public.insert(target.clone(), path.clone());
        assert_eq!(other, None, "the same as {path}: every item has one path");
        let name = path.rsplit("::").next().unwrap_or_default();
        assert!(PRELUDE_NAMES.split(' ').all(|known| known != name), "{path} shadows a name of the prelude");
    }
    public.extend(public_items(&sources, &vec!["rulebook".to_owned()], "rulebook").into_iter().map(|(a, b)| (b, a)));
    let implementations = impl_blocks(&sources, &public);
    let mut text = String::new();
    let mut unnamed = Vec::new();
    for (path, target) in &names {
        text += &format!("// {path}\n");
        let signatures = signatures_of_item(&sources, target);
        for (module, signature) in signatures.iter().chain(implementations.get(target).into_iter().flatten()) {
            let words = signature.split(|character: char| !character.is_alphanumeric() && character != '_');
            for word in words.filter(|word| word.starts_with(char::is_uppercase) && !UNNAMED_TYPES.contains(word)) {
                if sources.resolve_name(module, word).is_some_and(|item| has_no_public_path(&item, &public)) {
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

/// Returns `true` if an item of the crates of this workspace has no public path.
fn has_no_public_path(item: &NameTarget, public: &BTreeMap<NameTarget, String>) -> bool {
    matches!(item, NameTarget::Item(..)) && !public.contains_key(item)
}

/// Returns the public path of each item that users of a Rust module can name, including the items of its public
/// submodules.
fn public_items(sources: &Sources, module: &ModulePath, path: &str) -> Vec<(String, NameTarget)> {
    let exports = sources.exported_names(module);
    let (modules, items): (Vec<_>, Vec<_>) =
        exports.into_iter().partition(|(_, target)| matches!(target, NameTarget::Module(_)));
    let mut names: Vec<_> = items.into_iter().map(|(name, target)| (format!("{path}::{name}"), target)).collect();
    for (name, target) in modules {
        if let NameTarget::Module(module) = target {
            names.extend(public_items(sources, &module, &format!("{path}::{name}")));
        }
    }
    names
}

/// Returns the signature of an item, and the Rust module that contains the item. An item that exists once per `cfg`
/// condition has several signatures.
fn signatures_of_item(sources: &Sources, target: &NameTarget) -> Vec<(ModulePath, String)> {
    let (module, name) = match target {
        NameTarget::Item(module, name) => (module, name),
        NameTarget::Foreign(path) => return vec![(Vec::new(), format!("pub use {path};\n"))],
        NameTarget::Module(_) => return Vec::new(),
    };
    let items =
        sources.modules[module].iter().filter(|item| declaration_parts(item).is_some_and(|(own, ..)| own == name));
    items.map(|item| (module.clone(), signature::print_signature(item))).collect()
}

/// Returns the `impl` blocks of each type, as text. The inherent `impl` blocks come before the implementations of
/// traits.
fn impl_blocks(
    sources: &Sources,
    public: &BTreeMap<NameTarget, String>,
) -> BTreeMap<NameTarget, Vec<(ModulePath, String)>> {
    let mut found: BTreeMap<NameTarget, Vec<(bool, String, ModulePath)>> = BTreeMap::new();
    let resolve = |module: &ModulePath, path: &syn::Path| {
        let name = path.segments.last().map(|segment| segment.ident.to_string());
        name.and_then(|name| sources.resolve_name(module, &name))
    };
    for (module, items) in &sources.modules {
        for item in items {
            let Item::Impl(block) = item else { continue };
            let Type::Path(name) = &*block.self_ty else { continue };
            let Some(target) = resolve(module, &name.path).filter(|_| !is_hidden_in_docs(&block.attrs)) else {
                continue;
            };
            let of_trait = block.trait_.as_ref().and_then(|(_, path, _)| resolve(module, path));
            if !of_trait.is_some_and(|item| has_no_public_path(&item, public)) {
                let text = signature::print_signature(item);
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
