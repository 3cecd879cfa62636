//! Tests that docs/deploy.md shows the files of the folder `deploy` as they are. Other programs check these files in
//! `tests/external/deploy`.

use std::fs;
use std::path::Path;

use crate::documents::compare_generated;

/// The page calls the program `notes`, which is not installed by a Debian package.
#[test]
fn the_page_about_deployment_shows_the_files_of_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let files = compare_generated("docs/deploy.md", |what| match what {
        "deploy/rulebook.service" => {
            let unit = read(what).replace("/usr/bin/", "/usr/local/bin/").replace("rulebook", "notes");
            format!("```ini\n{unit}```\n")
        }
        "deploy/Containerfile" => format!("```dockerfile\n{}```\n", read(what)),
        "deploy/nginx.conf" => format!("```nginx\n{}```\n", read(what)),
        other => panic!("the page shows an unknown file: {other}"),
    });
    assert_eq!(files, 3);
}
