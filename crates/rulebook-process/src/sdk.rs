//! The SDKs: for each language one file, with which a program reads calls and writes their results.

/// The SDK for Python, `rulebook.py`.
pub const PYTHON: &str = include_str!("../sdk/python/rulebook.py");
/// The SDK for Node, `rulebook.mjs`.
pub const NODE: &str = include_str!("../sdk/node/rulebook.mjs");
/// The SDK for PHP, `rulebook.php`.
pub const PHP: &str = include_str!("../sdk/php/rulebook.php");
