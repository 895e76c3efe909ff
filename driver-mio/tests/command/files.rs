//! Files between two processes.

use std::{
    fs,
    os::unix::fs::symlink,
    process::{Command, Stdio},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use crate::{
    relay::Relay,
    run::{Server, Setting, command, failure, has_part, objects, refused, stdout, wait_until},
};

#[test]
fn files_go_there_and_back() {
    let setting = Setting::new();
    let server = setting.server();
    let psk = setting.psk();
    for len in [0, 1, 1_000, 65_536, (5 << 20) + 7] {
        let data = setting.file("file", len);
        let put = ["put", &setting.text("file"), &server.address, "--psk", &psk, "--json"];
        let value = &objects(&stdout(put))[0];
        assert_eq!((&value["ok"], &value["size"]), (&true.into(), &len.into()));
        assert_eq!(fs::read(setting.path("root/file")).unwrap(), data);
        let get = ["get", &server.address, "file", &setting.text("copy"), "--psk", &psk, "--json"];
        let got = &objects(&stdout(get))[0];
        assert_eq!(got["sha256"], value["sha256"]);
        assert_eq!(fs::read(setting.path("copy")).unwrap(), data);
    }
    assert_eq!(setting.root_names(), ["file"]);
}

#[test]
fn names_that_lead_out_are_refused() {
    let setting = Setting::new();
    let server = setting.server();
    let psk = setting.psk();
    setting.file("file", 100);
    setting.file("secret", 100);
    symlink("../secret", setting.path("root/link")).unwrap();
    symlink("..", setting.path("root/up")).unwrap();
    let absolute = setting.text("secret");
    for name in ["../secret", "a/../../secret", &absolute, "link", "up/secret", "", "."] {
        let put =
            failure(["put", &setting.text("file"), &server.address, "--psk", &psk, "--name", name]);
        assert!(put.contains("refused put"), "{put}");
        let get = failure(["get", &server.address, name, &setting.text("got"), "--psk", &psk]);
        assert!(get.contains("refused get"), "{get}");
    }
    assert!(!setting.path("got").exists());
    assert_eq!(setting.root_names(), ["link", "up"]);
    let get = failure(["get", &server.address, "nothing", &setting.text("got"), "--psk", &psk]);
    assert!(get.contains("there is no file \"nothing\""), "{get}");
}

#[test]
fn a_large_refused_file_says_why() {
    let setting = Setting::new();
    let server = setting.server_with(&[]);
    setting.file("file", 20 << 20);
    let why = failure(["put", &setting.text("file"), &server.address, "--psk", &setting.psk()]);
    assert!(why.contains("--root"), "{why}");
}

#[test]
fn a_lossy_path_delivers_intact() {
    let setting = Setting::new();
    let server = setting.server();
    let relay = Relay::start(&server.address, 50, Duration::ZERO);
    let psk = setting.psk();
    let data = setting.file("file", 16 << 20);
    stdout(["put", &setting.text("file"), &relay.address, "--psk", &psk]);
    assert_eq!(fs::read(setting.path("root/file")).unwrap(), data);
    stdout(["get", &relay.address, "file", &setting.text("copy"), "--psk", &psk]);
    assert_eq!(fs::read(setting.path("copy")).unwrap(), data);
    assert!(relay.lost.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_killed_client_leaves_nothing() {
    let setting = Setting::new();
    let server = setting.server();
    let relay = Relay::start(&server.address, 0, Duration::from_millis(2));
    setting.file("file", 64 << 20);
    let psk = setting.psk();
    let mut client = command(["put", &setting.text("file"), &relay.address, "--psk", &psk])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the start of the transfer", || has_part(&setting.path("root")));
    client.kill().unwrap();
    client.wait().unwrap();
    assert!(!setting.path("root/file").exists());
    wait_until("the end of the part", || setting.root_names().is_empty());
    stdout(["call", &server.address, "--psk", &psk, "echo"]);
}

#[test]
fn a_killed_server_leaves_nothing() {
    let setting = Setting::new();
    let psk = setting.psk();
    setting.file("root/file", 64 << 20);
    setting.file("file", 64 << 20);
    for put in [false, true] {
        let mut server = setting.server();
        let relay = Relay::start(&server.address, 0, Duration::from_millis(2));
        let (copy, file) = (setting.text("copies/copy"), setting.text("file"));
        let _ = fs::create_dir(setting.path("copies"));
        let mut args = if put {
            vec!["put", &file, &relay.address, "--name", "new"]
        } else {
            vec!["get", &relay.address, "file", &copy]
        };
        args.extend(["--psk", &psk, "--timeout", "1s"]);
        let client = command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let directory = if put { setting.path("root") } else { setting.path("copies") };
        wait_until("the start of the transfer", || has_part(&directory));
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        let started = Instant::now();
        let why = refused(&client.wait_with_output().unwrap());
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
        assert!(why.contains(&relay.address), "{why}");
        assert!(!setting.path("copies/copy").exists() && !setting.path("root/new").exists());
    }
    assert_eq!(fs::read_dir(setting.path("copies")).unwrap().count(), 0);
    // the server could not clean up itself; the next one does
    assert!(has_part(&setting.path("root")));
    let _server = setting.server();
    assert_eq!(setting.root_names(), ["file"]);
}

#[test]
fn a_stopped_server_leaves_nothing() {
    let setting = Setting::new();
    let mut server = setting.server();
    let relay = Relay::start(&server.address, 0, Duration::from_millis(2));
    setting.file("file", 64 << 20);
    let psk = setting.psk();
    let client = command(["put", &setting.text("file"), &relay.address, "--psk", &psk])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("the start of the transfer", || has_part(&setting.path("root")));
    let pid = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(setting.root_names().is_empty());
    let why = refused(&client.wait_with_output().unwrap());
    // the server's last word may be lost on the slow way: then its silence is named
    let named = why.contains("shutting down") || why.contains("silent");
    assert!(why.contains(&relay.address) && named, "{why}");
}

#[test]
fn a_file_that_changes_is_not_stored() {
    let setting = Setting::new();
    let server = setting.server();
    let relay = Relay::start(&server.address, 0, Duration::from_millis(2));
    setting.file("file", 64 << 20);
    let psk = setting.psk();
    let client = command(["put", &setting.text("file"), &relay.address, "--psk", &psk])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("the start of the transfer", || has_part(&setting.path("root")));
    fs::OpenOptions::new().write(true).open(setting.path("file")).unwrap().set_len(100).unwrap();
    let why = refused(&client.wait_with_output().unwrap());
    assert!(why.contains("file shrank"), "{why}");
    wait_until("the end of the part", || setting.root_names().is_empty());
}

#[test]
fn a_full_disk_is_named() {
    let mounts = Command::new("unshare").args(["-m", "true"]).status();
    if !mounts.is_ok_and(|status| status.success()) {
        println!("skipped: a small file system needs the right to mount one");
        return;
    }
    let setting = Setting::new();
    let (psk, root) = (setting.psk(), setting.text("root"));
    let binary = env!("CARGO_BIN_EXE_dcquic");
    let script = format!(
        "mount -t tmpfs -o size=1m tmpfs {root} && exec {binary} serve --listen 127.0.0.1:0 \
         --psk {psk} --root {root} --json"
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]).stdin(Stdio::null());
    let server = Server::start(command);
    setting.file("file", 4 << 20);
    let why = failure(["put", &setting.text("file"), &server.address, "--psk", &psk]);
    assert!(why.contains("\"file\"") && why.contains("no space left"), "{why}");
    let why = failure(["get", &server.address, "file", &setting.text("copy"), "--psk", &psk]);
    assert!(why.contains("there is no file"), "{why}");
}
