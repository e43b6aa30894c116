//! A printed PDF in a temporary folder, and the eyes that look at it: poppler, qpdf, zbar.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use semainier::compose::print::Printed;

pub struct Paper {
    pub printed: Printed,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Paper {
    pub fn of(printed: Printed) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.pdf");
        std::fs::write(&path, &printed.pdf).unwrap();
        Self { printed, path, _folder: folder }
    }

    /// What a tool says of the file. `{}` in the arguments is its path.
    pub fn ask(&self, tool: &str, arguments: &[&str]) -> String {
        let path = self.path.to_str().unwrap();
        let arguments: Vec<_> = arguments.iter().map(|argument| argument.replace("{}", path)).collect();
        run(tool, &arguments)
    }

    /// The text in the order a screen reader says it, one line per piece.
    pub fn spoken(&self) -> String {
        let text = self.ask("pdfinfo", &["-struct-text", "{}"]);
        let quoted = text.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"'));
        squeezed(&quoted.collect::<Vec<_>>().join(" "))
    }

    /// The text as it is copied.
    pub fn copied(&self) -> String {
        squeezed(&self.ask("pdftotext", &["{}", "-"]))
    }

    /// The text inside a rectangle of one page, in points.
    pub fn copied_from(&self, page: usize, (x, width): (u32, u32), height: u32) -> String {
        let (page, x, width, height) = (page.to_string(), x.to_string(), width.to_string(), height.to_string());
        let area = ["-f", &page, "-l", &page, "-r", "72", "-x", &x, "-y", "0", "-W", &width, "-H", &height];
        squeezed(&self.ask("pdftotext", &[&area[..], &["{}", "-"]].concat()))
    }

    pub fn info(&self, key: &str) -> String {
        let info = self.ask("pdfinfo", &["{}"]);
        let line = info.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.unwrap_or_default().trim().to_owned()
    }

    /// A page as a grey picture in the PGM format.
    pub fn rastered(&self, page: usize, dpi: usize) -> Vec<u8> {
        let (page, dpi) = (page.to_string(), dpi.to_string());
        let picture = self.path.with_extension("");
        let picture = picture.to_str().unwrap();
        self.ask("pdftoppm", &["-r", &dpi, "-gray", "-singlefile", "-f", &page, "-l", &page, "{}", picture]);
        std::fs::read(format!("{picture}.pgm")).unwrap()
    }

    pub fn qr_codes(&self, page: usize) -> Vec<String> {
        let page = page.to_string();
        let picture = self.path.with_extension("");
        let picture = picture.to_str().unwrap();
        let arguments = ["-r", "150", "-gray", "-png", "-singlefile", "-f", &page, "-l", &page, "{}", picture];
        self.ask("pdftoppm", &arguments);
        let found = run("zbarimg", &["--quiet", "--raw", &format!("{picture}.png")].map(str::to_owned));
        found.lines().map(str::to_owned).collect()
    }
}

fn run(tool: &str, arguments: &[String]) -> String {
    let output = Command::new(tool).args(arguments).stdin(Stdio::null()).output().unwrap_or_else(|error| {
        panic!("{tool} cannot be run ({error}): apt-get install poppler-utils qpdf zbar-tools")
    });
    assert!(output.status.success(), "{tool} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// All kinds of space as one.
pub fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
