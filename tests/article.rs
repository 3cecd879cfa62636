//! The article API: the definitions in `api/`.

use rulebook::Rulebook;

#[test]
fn its_definition_has_no_fault() {
    if let Err(report) = Rulebook::load("api").check() {
        panic!("{}", report.render(false));
    }
}
