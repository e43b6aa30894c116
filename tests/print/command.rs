//! `semainier print` as staff and other tools meet it.

use std::{
    path::Path,
    process::{Command, Output},
};

const AGENDA: &str = r#"{"days": [{"date": "2027-07-13", "items": [
    {"text": "Bal des pompiers", "events": [{"title": "Bal des pompiers", "start": "21:00", "place": "Auch"}]},
    {"text": "Marché"}]}]}"#;

fn semainier(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_semainier"));
    command.current_dir(folder).args(arguments).env_clear().output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn with_agenda(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("agenda.json"), text).unwrap();
    folder
}

#[test]
fn an_agenda_of_another_tool_becomes_a_poster_and_a_booklet() {
    let folder = with_agenda(AGENDA);
    for (more, size) in [
        (&["--layout", "poster"][..], "841.89 pts (A4)"),
        (&["--layout", "poster", "--format", "a3", "--theme", "ink"], "1190.55 pts (A3)"),
        (&["--layout", "imposed"], "595.276 pts (A4)"),
    ] {
        let output = semainier(folder.path(), &[&["print", "agenda.json", "--out", "a.pdf"], more].concat());
        assert!(output.status.success(), "{}", said(&output));
        let pdf = folder.path().join("a.pdf");
        let info = Command::new("pdfinfo").arg(&pdf).output().unwrap();
        assert!(said(&info).contains(size), "{}", said(&info));
        let text = Command::new("pdftotext").arg(&pdf).arg("-").output().unwrap();
        assert!(said(&text).contains("Bal des pompiers") && said(&text).contains("Du lundi 12 au dimanche 18 juillet"));
    }
}

#[test]
fn the_output_of_extract_can_be_printed() {
    let folder = tempfile::tempdir().unwrap();
    let article = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/articles/full_page.html");
    let extract = ["extract", article.to_str().unwrap(), "--published", "2027-07-09", "--json"];
    let output = semainier(folder.path(), &extract);
    assert!(output.status.success(), "{}", said(&output));
    std::fs::write(folder.path().join("agenda.json"), &output.stdout).unwrap();
    let print = ["print", "agenda.json", "--at", "2027-07-10", "--out"];
    for name in ["a.pdf", "b.pdf"] {
        let output = semainier(folder.path(), &[&print[..], &[name]].concat());
        assert!(output.status.success(), "{}", said(&output));
    }
    let [a, b] = ["a.pdf", "b.pdf"].map(|name| std::fs::read(folder.path().join(name)).unwrap());
    assert!(a == b, "the same agenda at the same instant is the same file");
}

#[test]
fn an_error_has_advice() {
    let folder = with_agenda(AGENDA);
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("two.json"), format!("{AGENDA}{AGENDA}")).unwrap();
    std::fs::write(path("empty.json"), "").unwrap();
    std::fs::write(path("dateless.json"), "{}").unwrap();
    std::fs::write(path("wrong.json"), r#"{"days": [{"date": "13/07/2027"}]}"#).unwrap();
    std::fs::write(path("faint.toml"), "[colours]\ndetail = '#999999'").unwrap();
    for (arguments, words) in [
        (&["missing.json"][..], "cannot read missing.json; make one with `semainier extract ARTICLE --json`"),
        (&["agendaa"], "neither a file nor a mailing"),
        (&["two.json"], "two.json contains 2 agendas"),
        (&["empty.json"], "empty.json is empty"),
        (&["dateless.json"], "write for example \"week\""),
        (&["wrong.json"], "wrong.json is not an agenda"),
        (&["agenda.json", "--theme", "blue"], "expected \"office\", \"ink\" or a theme file"),
        (
            &["agenda.json", "--theme", "faint.toml"],
            "faint.toml:2: colours.detail: detail on white has a contrast of 2.8:1",
        ),
        (&["agenda.json", "--article", "a.html"], "--article is for a mailing"),
    ] {
        let output = semainier(folder.path(), &[&["print"], arguments, &["--out", "a.pdf"]].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{arguments:?}: {}", said(&output));
    }
}

#[test]
fn the_example_configuration_and_theme_are_valid() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let folder = with_agenda(AGENDA);
    let (config, theme) = (deploy.join("semainier.toml"), deploy.join("theme.toml"));
    let (config, theme) = (config.to_str().unwrap(), theme.to_str().unwrap());
    let output =
        semainier(folder.path(), &["--config", config, "print", "agenda.json", "--theme", theme, "--out", "a.pdf"]);
    assert!(output.status.success(), "{}", said(&output));
}
