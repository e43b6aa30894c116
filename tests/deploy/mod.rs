//! The shipped files of `deploy/` and the build context of the image, read as they are.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn shipped(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

/// The text without comments of a whole line.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The `server` blocks of nginx, one list of directives each; those of nested blocks included.
fn servers(text: &str) -> Vec<Vec<String>> {
    let (mut servers, mut depth) = (Vec::new(), 0);
    for line in lines(text) {
        if depth == 0 {
            assert_eq!(line, "server {", "a directive outside of a server");
            servers.push(Vec::new());
        } else if let Some(server) = servers.last_mut() {
            server.push(line.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        depth += line.matches('{').count();
        depth -= line.matches('}').count();
    }
    assert_eq!(depth, 0);
    servers
}

/// Trial F17: paths hold tokens, and a proxy logs a request also when it could not pass it on. No server of the shipped
/// files may log, whatever its port; each has the redirect from port 80.
#[test]
fn trial_f17_no_shipped_proxy_logs_a_path_and_each_host_is_redirected_to_https() {
    let servers = servers(&shipped("deploy/nginx.conf"));
    let (mut encrypted, mut redirected) = (BTreeSet::new(), BTreeSet::new());
    for server in &servers {
        let has = |directive: &str| server.iter().any(|it| it == directive);
        let names = server.iter().find_map(|it| it.strip_prefix("server_name ")).expect("server_name");
        let names = names.trim_end_matches(';').split(' ').map(str::to_owned);
        for kept in ["access_log off;", "error_log /dev/null emerg;"] {
            assert!(has(kept), "{kept} is missing in {server:?}");
        }
        assert_eq!(server.iter().filter(|it| it.contains("_log ")).count(), 2, "another log: {server:?}");
        if has("listen 80;") {
            assert!(has("listen [::]:80;") && has("return 301 https://$host$request_uri;"), "{server:?}");
            redirected.extend(names);
        } else {
            for directive in ["listen 443 ssl http2;", "listen [::]:443 ssl http2;"] {
                assert!(has(directive), "{directive} is missing in {server:?}");
            }
            assert!(server.iter().any(|it| it.starts_with("add_header Strict-Transport-Security ")), "{server:?}");
            encrypted.extend(names);
        }
    }
    assert_eq!(encrypted.len(), 2, "the pages and the console");
    assert_eq!(encrypted, redirected);

    let caddy = shipped("deploy/Caddyfile");
    let logs: Vec<_> = lines(&caddy).filter(|line| line.split(' ').next() == Some("log")).collect();
    assert_eq!(logs, ["log default {"], "no site has a log of its own");
    let excluded = lines(&caddy).find_map(|line| line.strip_prefix("exclude ")).expect("exclude");
    for logger in ["http.log.access", "http.log.error", "http.handlers.reverse_proxy"] {
        assert!(excluded.split(' ').any(|it| it == logger), "{logger} is not excluded");
    }
}

/// The files that are kept in git: what a clone has.
fn kept() -> Vec<PathBuf> {
    let listed = Command::new("git").arg("-C").arg(root()).args(["ls-files", "-z"]).output().unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    String::from_utf8(listed.stdout).unwrap().split_terminator('\0').map(PathBuf::from).collect()
}

/// Trial F18: the context of the image is a list of what it needs: never target/, .git/ or a configuration with secrets.
#[test]
fn trial_f18_the_image_is_built_of_all_it_needs_and_nothing_else() {
    let ignored = shipped(".dockerignore");
    let mut entries = lines(&ignored);
    assert_eq!(entries.next(), Some("*"), "everything is left out that is not named");
    let named: BTreeSet<_> = entries.map(|line| line.strip_prefix('!').expect("only exceptions follow")).collect();
    let kept = kept();
    for name in &named {
        assert!(kept.iter().any(|file| file.starts_with(name)), "{name} is not in the repository");
        assert!(!["target", ".git", "deploy"].contains(name), "{name}");
    }
    // What cargo reads by itself, and what the source includes.
    let mut needed: BTreeSet<PathBuf> =
        ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml"].iter().map(PathBuf::from).collect();
    for source in kept.iter().filter(|file| file.starts_with("src") && file.extension().is_some_and(|it| it == "rs")) {
        let text = fs::read_to_string(root().join(source)).unwrap();
        for macro_name in ["include_str!(\"", "include_bytes!(\"", "include_dir!(\""] {
            for included in text.split(macro_name).skip(1) {
                let path = source.parent().unwrap().join(included.split('"').next().unwrap());
                let path = fs::canonicalize(root().join(&path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                needed.insert(path.strip_prefix(fs::canonicalize(root()).unwrap()).unwrap().to_owned());
            }
        }
    }
    needed.extend(kept.iter().filter(|file| ["benches", "examples"].iter().any(|it| file.starts_with(it))).cloned());
    assert!(needed.len() > 20, "{needed:?}");
    for file in needed.iter().filter(|file| kept.contains(file)) {
        assert!(named.iter().any(|name| file.starts_with(name)), "{} is needed, and left out", file.display());
    }
}

/// Trial F18, again: the state outlives the container, secrets can be read by the user it runs as, and a container that does
/// not answer is seen.
#[test]
fn trial_f18_the_container_keeps_its_state_and_can_read_its_secrets() {
    let image = shipped("deploy/Containerfile");
    let user = lines(&image).find_map(|line| line.strip_prefix("USER ")).expect("USER");
    assert!(user.parse::<u32>().is_ok(), "a number, to which files of the host can be given: {user}");
    let compose = shipped("deploy/compose.yaml");
    let service = compose.split("  postgres:\n").next().unwrap();
    let state =
        service.lines().find_map(|line| line.trim().strip_prefix("STATE_DIRECTORY: ")).expect("STATE_DIRECTORY");
    assert!(lines(&image).any(|line| line == format!("VOLUME {state}")), "{image}");
    assert!(image.contains(&format!("STATE_DIRECTORY={state}")));
    assert!(service.contains(&format!("\"state:{state}\"")), "the state is not in a volume");
    assert!(lines(&compose).any(|line| line.starts_with("volumes: {") && line.contains("state: {}")), "{compose}");
    assert!(lines(&image).any(|line| line.starts_with("HEALTHCHECK ")) && service.contains("    healthcheck:\n"));
    // A file secret keeps the owner it has on the host: the command that gives it to the user is written down.
    let secrets = compose.split("\nsecrets:\n").nth(1).unwrap();
    let files: Vec<_> = secrets.lines().map(|line| line.split("./").nth(1).unwrap().trim_end_matches(" }")).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let mut given = compose.lines().filter(|line| line.contains(&format!("chown {user} ")));
        assert!(given.any(|line| line.contains(file)), "chown {user} {file} is not described");
    }
}
