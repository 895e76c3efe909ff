//! Compares sizes, offsets and constants with the libfabric headers of this machine.
//!
//! Prints why and passes where there is no C compiler or no `libfabric-dev`.

use core::mem::{offset_of, size_of};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use libfabric_sys::types::{self, fi_domain_attr, fi_ep_attr, fi_fabric_attr, fi_info};

/// A C expression of an integer type and the value that the Rust side has for it.
type Fact = (String, u64);

macro_rules! offsets {
    ($facts:ident, $structure:ident: $($field:ident as $name:literal),+ $(,)?) => {
        $($facts.push((
            format!("offsetof(struct {}, {})", stringify!($structure), $name),
            offset_of!($structure, $field) as u64,
        ));)+
    };
}

fn facts() -> Vec<Fact> {
    let mut facts = Vec::new();
    offsets!(facts, fi_info: next as "next", caps as "caps", mode as "mode",
        addr_format as "addr_format", src_addrlen as "src_addrlen",
        dest_addrlen as "dest_addrlen", src_addr as "src_addr", dest_addr as "dest_addr",
        handle as "handle", tx_attr as "tx_attr", rx_attr as "rx_attr", ep_attr as "ep_attr",
        domain_attr as "domain_attr", fabric_attr as "fabric_attr", nic as "nic");
    offsets!(facts, fi_ep_attr: type_ as "type", protocol as "protocol",
        protocol_version as "protocol_version", max_msg_size as "max_msg_size");
    offsets!(facts, fi_domain_attr: domain as "domain", name as "name",
        threading as "threading", control_progress as "control_progress",
        data_progress as "data_progress", resource_mgmt as "resource_mgmt",
        av_type as "av_type", mr_mode as "mr_mode");
    offsets!(facts, fi_fabric_attr: fabric as "fabric", name as "name",
        prov_name as "prov_name", prov_version as "prov_version", api_version as "api_version");
    // The other structures are prefixes, so that only this size is the library's own.
    facts.push(("sizeof(struct fi_info)".into(), size_of::<fi_info>() as u64));
    // An enum of C is as wide as the integer that stands for it here.
    facts.push(("sizeof(((struct fi_ep_attr *)0)->type)".into(), 4));
    facts.push(("sizeof(((struct fi_domain_attr *)0)->mr_mode)".into(), 4));
    for (name, value) in [
        ("FI_MSG", types::FI_MSG),
        ("FI_RMA", types::FI_RMA),
        ("FI_READ", types::FI_READ),
        ("FI_WRITE", types::FI_WRITE),
        ("FI_RECV", types::FI_RECV),
        ("FI_SEND", types::FI_SEND),
        ("FI_REMOTE_READ", types::FI_REMOTE_READ),
        ("FI_REMOTE_WRITE", types::FI_REMOTE_WRITE),
        ("FI_EP_UNSPEC", types::FI_EP_UNSPEC.into()),
        ("FI_EP_MSG", types::FI_EP_MSG.into()),
        ("FI_EP_DGRAM", types::FI_EP_DGRAM.into()),
        ("FI_EP_RDM", types::FI_EP_RDM.into()),
        ("FI_MR_BASIC", types::FI_MR_BASIC as u64),
        ("FI_MR_SCALABLE", types::FI_MR_SCALABLE as u64),
        ("FI_ENODATA", types::FI_ENODATA as u64),
        ("FI_VERSION(1, 9)", types::version(1, 9).into()),
    ] {
        facts.push((name.into(), value));
    }
    facts
}

/// Compiles `source` with the system's C compiler. `Err` holds what to print.
fn compile(source: &str, name: &str) -> Result<PathBuf, String> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (input, output) = (dir.join(format!("{name}.c")), dir.join(name));
    std::fs::write(&input, source).expect("a writable target directory");
    let run = Command::new("cc").arg(&input).arg("-o").arg(&output).output();
    match run {
        Err(error) => Err(format!("no C compiler: {error}")),
        Ok(run) if run.status.success() => Ok(output),
        Ok(run) => Err(String::from_utf8_lossy(&run.stderr).into_owned()),
    }
}

#[test]
fn layout_is_that_of_the_headers() {
    let includes = "#include <stddef.h>\n#include <stdio.h>\n#include <rdma/fabric.h>\n\
                    #include <rdma/fi_domain.h>\n#include <rdma/fi_endpoint.h>\n\
                    #include <rdma/fi_errno.h>\n";
    // Whatever breaks here breaks on the headers alone; beyond this point a failure is ours.
    if let Err(reason) = compile(&format!("{includes}int main(void) {{ return 0; }}\n"), "probe") {
        println!("SKIPPED: needs a C compiler and the headers of libfabric: {reason}");
        return;
    }
    let facts = facts();
    let mut source = format!("{includes}int main(void) {{\n");
    for (expression, _) in &facts {
        writeln!(source, "printf(\"%llu\\n\", (unsigned long long)({expression}));").unwrap();
    }
    source.push_str("return 0; }\n");
    let program = compile(&source, "layout").unwrap();
    let output = Command::new(program).output().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<u64> = answers.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(answers.len(), facts.len());
    let wrong: Vec<String> = facts
        .iter()
        .zip(answers)
        .filter(|((_, ours), theirs)| ours != theirs)
        .map(|((what, ours), theirs)| format!("{what}: {ours} here, {theirs} in the headers"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
