//! Migrations of SQLite that are edited while the program runs (`serve --watch`): the file of the database goes back to
//! the copy from before them, so that they can be applied again.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::database::{Connection, Lease};
use crate::migrations::MigrationFile;
use crate::release::Copy;

/// The copy from before an applied migration whose text has changed.
pub(crate) struct Edited {
    /// The number of the first migration that the copy does not have.
    pub number: i64,
    copy: PathBuf,
    file: PathBuf,
}

/// Finds the copy from before the first applied migration whose text has changed; `None` if none has changed, or there
/// is no copy.
pub(crate) async fn find(connection: &mut Connection, files: &[MigrationFile], file: PathBuf) -> Option<Edited> {
    let applied = connection.as_migrate().list_applied_migrations().await.ok()?;
    let has_changed = |file: &&MigrationFile| {
        applied.iter().any(|applied| applied.version == file.number() && !file.has_checksum(&applied.checksum))
    };
    let changed = files.iter().find(has_changed)?.number();
    let begin = format!("{}.before-", file.file_name()?.to_string_lossy());
    let copies = file.parent()?.read_dir().ok()?.flatten().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let number: i64 = name.strip_prefix(&begin)?.split('.').next()?.parse().ok()?;
        let modified = entry.metadata().and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        (number <= changed).then(|| (number, modified, entry.path()))
    });
    let (number, _, copy) = copies.max_by_key(|(number, modified, _)| (*number, *modified))?;
    Some(Edited { number, copy, file })
}

impl Edited {
    /// Copies the present state of the database, and opens the copy from before the migration.
    pub(crate) async fn attach(&self, lease: &mut Lease) -> Result<Copy, sqlx::Error> {
        let present = Copy::new(lease, &self.file, &format!("edited-{}", self.number)).await?;
        lease.text_rows("attach ? as rulebook_before", &[&self.copy.to_string_lossy()]).await?;
        Ok(present)
    }
}

/// Replaces the tables of the database by those of the copy, in the transaction that has begun. Tables of rulebook
/// itself stay as they are.
pub(crate) async fn restore(lease: &mut Lease) -> Result<(), sqlx::Error> {
    let objects = |schema: &str| {
        format!(
            "select type, name, sql from {schema}.sqlite_master where sql is not null \
             and name not like 'sqlite\\_%' escape '\\' and tbl_name not like 'rulebook\\_%' escape '\\' \
             and name not in (select name from pragma_table_list where schema = '{schema}' and type = 'shadow') \
             order by type = 'view' desc, rowid"
        )
    };
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    for row in lease.text_rows(&objects("main"), &[]).await? {
        if let [Some(kind), Some(name), _] = &row[..]
            && matches!(kind.as_str(), "table" | "view")
        {
            lease.run(&format!("drop {kind} if exists main.{}", quoted(name))).await?;
        }
    }
    let objects = lease.text_rows(&objects("rulebook_before"), &[]).await?;
    let (tables, others): (Vec<_>, Vec<_>) = objects.iter().partition(|row| row[0].as_deref() == Some("table"));
    for row in tables {
        let [_, Some(name), Some(sql)] = &row[..] else { continue };
        lease.run(sql).await?;
        let columns = "select name from pragma_table_xinfo(?, 'rulebook_before') where hidden = 0";
        let columns = lease.text_rows(columns, &[name]).await?;
        let columns: Vec<_> = columns.iter().filter_map(|row| Some(quoted(row.first()?.as_deref()?))).collect();
        let (name, columns) = (quoted(name), columns.join(", "));
        let copy = format!("insert into main.{name} ({columns}) select {columns} from rulebook_before.{name}");
        lease.run(&copy).await?;
    }
    let sequences = "select name from rulebook_before.sqlite_master where name = 'sqlite_sequence'";
    if !lease.text_rows(sequences, &[]).await?.is_empty() {
        lease.run("delete from main.sqlite_sequence").await?;
        lease.run("insert into main.sqlite_sequence select * from rulebook_before.sqlite_sequence").await?;
    }
    // The triggers must not see the rows that are copied.
    for row in others {
        if let [_, _, Some(sql)] = &row[..] {
            lease.run(sql).await?;
        }
    }
    Ok(())
}
