//! The ways of writing a definition. After loading nobody knows them.
