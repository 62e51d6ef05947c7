//! A member of etcd as a unit runs it: its settings, and its files with others.
//!
//! A setting is a flag, or the variable that stands for it; where there is a configuration file, etcd looks at nothing
//! else.

use std::collections::{BTreeMap, BTreeSet};

use haengine_kernel::error::{Error, Kind, Result};

use super::etcd::Etcd;
use super::program::Program;
use super::service::Service;
use super::traced::Files;
use super::unit_files::UnitFiles;

/// A member.
pub struct Member<'a> {
    files: &'a Files,
    program: Program,
    /// Its configuration file, and where that is.
    file: Option<(String, Etcd)>,
    /// Programs that may share its files.
    others: Vec<Program>,
}

impl<'a> Member<'a> {
    /// The member that a unit runs. `hostname` is what `%H` stands for.
    ///
    /// # Errors
    /// A refusal with file and line where the unit, or one that shares a file with it, is not understood; `node.unit`
    /// where it is not there; `node.etcd` where it runs something else, or its configuration file is not among the files.
    pub fn read(files: &'a Files, units: &UnitFiles, unit: &str, hostname: &str) -> Result<Member<'a>> {
        let own = units.0.get(unit).cloned().unwrap_or_default();
        let (mut program, mut others) = (None, Vec::new());
        for (paths, service) in units.services(files, Some(hostname)) {
            let read = service.and_then(|service: Service| Program::of(files, &service));
            match read {
                read if paths == own => program = Some(read?),
                Ok(other) => others.push(other),
                Err(error) if paths.iter().any(|path| own.contains(path)) => return Err(error),
                // It reads nothing that changes.
                Err(_) => {}
            }
        }
        let missing = || Error::new(Kind::Refused, "node.unit", format!("no file of the unit `{unit}` is there"));
        let program = program.ok_or_else(missing)?;
        if program.name != "etcd" {
            return Err(refused(format!("the unit `{unit}` runs `{}`, and no etcd", program.name)));
        }
        let file = configuration(files, &program)?;
        Ok(Member { files, program, file, others })
    }

    /// What counts of a setting, by the name of its flag; none where it is left to etcd.
    pub fn value(&self, setting: &str) -> Option<String> {
        match &self.file {
            Some((_, file)) => file.setting(setting).map(str::to_owned),
            None => self.program.setting(setting),
        }
    }

    /// All that counts and is written somewhere, by the names of flags.
    pub fn settings(&self) -> BTreeMap<String, String> {
        if let Some((_, file)) = &self.file {
            return file.settings().into_iter().collect();
        }
        let flags = self.program.flags.given.iter().map(|flag| flag.name.as_str());
        let names = flags.chain(self.program.variables.iter().map(|(name, _)| name.as_str()));
        names.filter_map(|name| Some((name.to_owned(), self.program.setting(name)?))).collect()
    }

    /// Where its configuration file is.
    pub fn configuration(&self) -> Option<&str> {
        self.file.as_ref().map(|(path, _)| path.as_str())
    }

    /// The files that hold these settings, with their texts for other values; of one that is written nowhere, none.
    ///
    /// # Errors
    /// As [`Program::set`] and [`Etcd::with`].
    pub fn with(&self, settings: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
        if let Some((path, file)) = &self.file {
            let given = settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            return Ok([(path.clone(), file.with(given)?)].into());
        }
        let others: Vec<&Program> = self.others.iter().collect();
        let changed = self.program.with(self.files, &others, |name| settings.get(name).map(String::as_str))?;
        let mut becomes: BTreeMap<String, String> = changed.into_iter().collect();
        let holding: BTreeSet<&str> =
            settings.keys().flat_map(|name| self.program.written_in(self.files, name)).collect();
        for path in holding {
            becomes.entry(path.to_owned()).or_insert_with(|| self.files.text_at(path).to_owned());
        }
        Ok(becomes)
    }
}

fn configuration(files: &Files, program: &Program) -> Result<Option<(String, Etcd)>> {
    let Some(path) = program.setting("config-file").filter(|path| !path.is_empty()) else { return Ok(None) };
    let Some(number) = files.number(&path) else {
        let error = refused(format!("`{path}`, etcd's configuration, is not among the files that were read"));
        return Err(error.hint("name it beside the unit's own files"));
    };
    let etcd = Etcd::read(&path, files.text(number))?;
    Ok(Some((path, etcd)))
}

fn refused(message: String) -> Error {
    Error::new(Kind::Refused, "node.etcd", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = "/etc/systemd/system/etcd.service";
    const OTHER: &str = "/opt/etcd/cfg/etcd";

    fn becomes(unit: &str, other: &str) -> Result<Vec<(String, String)>> {
        let mut files = Files::default();
        files.add(UNIT, unit);
        files.add(OTHER, other);
        let units = UnitFiles([("etcd".to_owned(), vec![UNIT.to_owned(), OTHER.to_owned()])].into());
        let member = Member::read(&files, &units, "etcd", "m1")?;
        assert_eq!(member.value("initial-cluster").as_deref(), Some("m1=https://10.0.0.1:2380"));
        assert_eq!(member.value("auto-tls"), None);
        let settings = [("initial-cluster", "m1=https://10.0.0.1:2380,m2=https://10.0.0.2:2380"), ("auto-tls", "true")];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Ok(member.with(&settings)?.into_iter().collect())
    }

    #[test]
    fn a_setting_changes_where_it_counts() {
        let variables = "[Service]\nEnvironmentFile=/opt/etcd/cfg/etcd\nExecStart=/opt/etcd/bin/etcd\n";
        let text = "# who\nETCD_INITIAL_CLUSTER=\"m1=https://10.0.0.1:2380\"\nETCD_NAME=m1\n";
        let changed =
            |text: &str| text.replace("m1=https://10.0.0.1:2380", "m1=https://10.0.0.1:2380,m2=https://10.0.0.2:2380");
        assert_eq!(becomes(variables, text).unwrap(), [(OTHER.to_owned(), changed(text))]);

        // The flag wins over the variable.
        let flag = "[Service]\nEnvironmentFile=/opt/etcd/cfg/etcd\nExecStart=/usr/bin/etcd --initial-cluster \\\n  m1=https://10.0.0.1:2380\n";
        assert_eq!(
            becomes(flag, "ETCD_INITIAL_CLUSTER=m9=https://10.0.0.9:2380\n").unwrap(),
            [(UNIT.to_owned(), changed(flag))]
        );

        // And the file over both.
        let file = "[Service]\nEnvironment=ETCD_INITIAL_CLUSTER=m9=https://10.0.0.9:2380\nExecStart=/usr/bin/etcd --config-file=/opt/etcd/cfg/etcd\n";
        let text = "name: m1\ninitial-cluster: 'm1=https://10.0.0.1:2380' # all\n";
        assert_eq!(becomes(file, text).unwrap(), [(OTHER.to_owned(), changed(text))]);
    }

    #[test]
    fn what_is_no_etcd_or_lacks_its_file_is_refused() {
        let kubelet = "[Service]\nExecStart=/usr/bin/kubelet --v=2\n";
        assert_eq!(becomes(kubelet, "").unwrap_err().message(), "the unit `etcd` runs `kubelet`, and no etcd");
        let elsewhere = "[Service]\nExecStart=/usr/bin/etcd --config-file=/gone\n";
        let message = "`/gone`, etcd's configuration, is not among the files that were read";
        assert_eq!(becomes(elsewhere, "").unwrap_err().message(), message);
    }
}
