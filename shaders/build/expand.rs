//! The preprocessor: `#import name`, `#if word word` (any of them) ... `#else` ... `#endif`, and variants.
//!
//! A file's head may hold lines `//! variants: lstm gru`; a variant takes one word of each such line, and the words it
//! took are true in `#if`. `#import name` inserts `shared/name.wgsl`, once. Every line of the result knows where it
//! came from, so that a message can name it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A kernel's source as it lies in the folder.
pub(crate) struct File {
    root: PathBuf,
    name: String,
    text: String,
}

/// A line and where it came from.
pub(crate) struct Line {
    text: String,
    /// The comment directly above it.
    comment: Vec<String>,
    file: String,
    number: usize,
    /// Whether a directive stands between it and the line before it.
    begins: bool,
}

/// One variant of a kernel, ready for the compiler.
pub(crate) struct Expanded {
    lines: Vec<Line>,
}

impl Expanded {
    /// The WGSL source.
    pub(crate) fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{}\n", line.text)).collect()
    }

    /// The source cut where directives stood, each piece under the place where it begins. Between two directives all
    /// variants are the same, so that pieces of one place are equal.
    pub(crate) fn pieces(&self) -> Vec<(String, String)> {
        let pieces = self.lines.chunk_by(|_, line| !line.begins);
        pieces
            .map(|lines| {
                let place = format!("{}:{}", lines[0].file, lines[0].number);
                (place, lines.iter().map(|line| format!("{}\n", line.text)).collect())
            })
            .collect()
    }

    /// The file in which a line of [`Self::text`], counted from 1, stands.
    pub(crate) fn file(&self, number: usize) -> &str {
        self.lines.get(number.saturating_sub(1)).map_or("", |line| &line.file)
    }

    /// The comment directly above the first line from `number` on that begins with `text`.
    pub(crate) fn comment(&self, number: usize, text: &str) -> &[String] {
        let mut lines = self.lines.iter().skip(number.saturating_sub(1));
        lines.find(|line| line.text.starts_with(text)).map_or(&[], |line| &line.comment)
    }

    /// `file:line` of a line of [`Self::text`], counted from 1, and the line itself.
    pub(crate) fn origin(&self, number: usize) -> String {
        let Some(line) = self.lines.get(number.saturating_sub(1)) else { return "end of file".into() };
        format!("{}:{}: {}", line.file, line.number, line.text.trim())
    }
}

/// The kernels of a folder, sorted.
pub(crate) fn wgsl_files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(root).map_err(|e| format!("{}: {e}", root.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "wgsl"));
    paths.sort();
    Ok(paths)
}

impl File {
    pub(crate) fn read(root: &Path, path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { root: root.to_owned(), name, text })
    }

    /// The first line of its head comment.
    pub(crate) fn title(&self) -> &str {
        self.text.lines().next().unwrap_or_default().trim_start_matches("//!").trim()
    }

    /// All combinations of one word of every `variants` line.
    pub(crate) fn variants(&self) -> Vec<Vec<String>> {
        let axes = self.text.lines().filter_map(|line| line.strip_prefix("//! variants:"));
        axes.fold(vec![Vec::new()], |variants, axis| {
            let with = |variant: &Vec<String>, word: &str| {
                let mut variant = variant.clone();
                variant.push(word.to_string());
                variant
            };
            variants.iter().flat_map(|v| axis.split_whitespace().map(move |word| with(v, word))).collect()
        })
    }

    /// The name of a variant: that of the file and the words that it took.
    pub(crate) fn name_of(&self, variant: &[String]) -> String {
        std::iter::once(&self.name).chain(variant).cloned().collect::<Vec<_>>().join("_")
    }

    pub(crate) fn expand(&self, variant: &[String]) -> Result<Expanded, String> {
        let mut expander = Expander {
            root: &self.root,
            variant,
            imported: BTreeSet::new(),
            lines: Vec::new(),
            begins: true,
        };
        expander.add(&format!("{}.wgsl", self.name), &self.text)?;
        Ok(Expanded { lines: expander.lines })
    }
}

struct Expander<'a> {
    root: &'a Path,
    variant: &'a [String],
    imported: BTreeSet<String>,
    lines: Vec<Line>,
    /// Whether a directive stood after the last line.
    begins: bool,
}

impl Expander<'_> {
    fn add(&mut self, file: &str, text: &str) -> Result<(), String> {
        // For every open `#if`, whether its current branch is taken.
        let mut open: Vec<bool> = Vec::new();
        let mut comment = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let mistake = |what: &str| format!("{file}:{}: {what}: {line}", index + 1);
            let mut words = line.split_whitespace();
            let directive = words.next().unwrap_or_default();
            let arguments: Vec<&str> = words.collect();
            self.begins |= directive.starts_with('#');
            match (directive, &arguments[..]) {
                ("#if", [_, ..]) => {
                    open.push(arguments.iter().any(|word| self.variant.iter().any(|w| w == word)))
                }
                ("#else", []) => {
                    let taken = open.last_mut().ok_or_else(|| mistake("#else without #if"))?;
                    *taken = !*taken;
                }
                ("#endif", []) => {
                    open.pop().ok_or_else(|| mistake("#endif without #if"))?;
                }
                _ if open.iter().any(|taken| !taken) => {}
                ("#import", [name]) => {
                    self.import(name).map_err(|e| mistake(&e))?;
                    self.begins = true;
                }
                _ if directive.starts_with('#') => return Err(mistake("unknown directive")),
                // WGSL makes it zero; in a loop SwiftShader has been seen to leave an array of one value as it was.
                ("var", _) if !line.contains('=') => return Err(mistake("a `var` needs an initial value")),
                // Comments and indentation stay out of the binary.
                _ if directive.starts_with("//") => comment.push(line.trim().trim_start_matches('/').into()),
                _ if directive.is_empty() => comment.clear(),
                _ => {
                    let text = line.trim().to_string();
                    let comment = std::mem::take(&mut comment);
                    let begins = std::mem::take(&mut self.begins);
                    self.lines.push(Line {
                        text,
                        comment,
                        file: file.to_string(),
                        number: index + 1,
                        begins,
                    });
                }
            }
        }
        if open.is_empty() { Ok(()) } else { Err(format!("{file}: #if without #endif")) }
    }

    fn import(&mut self, name: &str) -> Result<(), String> {
        if !self.imported.insert(name.to_string()) {
            return Ok(());
        }
        let file = format!("shared/{name}.wgsl");
        let text = std::fs::read_to_string(self.root.join(&file)).map_err(|e| format!("{file}: {e}"))?;
        self.add(&file, &text)?;
        // What follows belongs to another file than the lines before it.
        self.begins = true;
        Ok(())
    }
}
