//! Converts HTML to lines: words, line breaks, links.
//!
//! Chooses the article inside a page; `page_builder` has the rules about tags. Only the *tokenizer* of html5ever is used:
//! building a tree takes quadratic time on hostile nesting, and is not needed here. Must never join two words (`Pavie<br>et
//! à` is two lines) and never recurse. Independent of French.

use std::borrow::Cow;
use std::ops::Range;

use super::page_builder;
use super::text::{composed, is_space};

/// One line of the article as a reader sees it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Line {
    /// White space normalised; `\n` only between the cells of a table row.
    pub(super) text: String,
    pub(super) links: Vec<Link>,
    pub(super) shape: Shape,
    /// Lines of one paragraph, bullet or cell share its number.
    pub(super) block: usize,
    /// First line of a `<li>`.
    pub(super) bullet: bool,
    pub(super) in_list: bool,
    /// It is a `<dt>`, and it stands in a `<dd>`.
    pub(super) term: bool,
    pub(super) definition: bool,
    /// It goes on with the line above it.
    pub(super) goes_on: bool,
    /// Bytes that it begins with in bold, where not all of it is.
    pub(super) lead: usize,
    /// Lists around it.
    pub(super) depth: usize,
    /// A table row made of `<th>` only.
    pub(super) header_row: bool,
    /// The cell it stands in, or of a table row the first one.
    pub(super) spot: Spot,
    /// Of a table row: its cells that have words.
    pub(super) cells: Vec<Cell>,
    /// The number of the innermost container around it that may hold a card (`boxes`), from 1; 0: there is none.
    pub(super) within: usize,
    /// The number of the container around it that holds one heading, and may be a card; 0: there is none.
    pub(super) frame: usize,
}

/// The position of a cell in the tables of the page; all zero outside of tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) table: usize,
    /// The number of its row in the page.
    pub(super) row: usize,
    /// The column it begins in, from 1, and how many it takes.
    pub(super) column: usize,
    pub(super) columns: usize,
    /// How many rows it takes.
    pub(super) rows: usize,
}

/// A cell of a table row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) spot: Spot,
    /// The byte where its words begin.
    pub(super) from: usize,
}

/// The visual style of a line. Headings of the same kind have the same shape.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    /// 1 to 6 for `<h1>` to `<h6>`, 0 for none.
    pub(super) heading: u8,
    /// All its words are bold.
    pub(super) strong: bool,
}

impl Shape {
    pub(super) fn stands_out(self) -> bool {
        self.heading > 0 || self.strong
    }
}

/// A link over the bytes `start..end` of its line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) href: String,
}

impl Link {
    pub(super) fn moved(self, by: usize) -> Self {
        Self { start: self.start + by, end: self.end + by, ..self }
    }
}

/// The result of reading the HTML.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// `<title>` and `<h1>`: they may name the week.
    pub(super) titles: Vec<String>,
    pub(super) lines: Vec<Line>,
    pub(super) scopes: Vec<Scope>,
    /// Of each container that may hold a card, the number of the one around it, from 1; 0: there is none.
    pub(super) around: Vec<usize>,
}

/// A container that may be the article: its lines are `from..to`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    pub(super) rank: u8,
    pub(super) from: usize,
    pub(super) to: usize,
}

impl Page {
    /// Reads a page, a fragment or plain text.
    pub(super) fn read(html: &str) -> Self {
        let page = Self::read_once(html);
        // A feed may encode its content twice: then the text is HTML again.
        let encoded = page.lines.iter().any(|line| has_block_tag(&line.text));
        if encoded && !has_tag(html) {
            let text: Vec<&str> = page.lines.iter().map(|line| line.text.as_str()).collect();
            return Self::read_once(&text.join("\n"));
        }
        page
    }

    fn read_once(html: &str) -> Self {
        let mut page = page_builder::build(&with_short_tags(html), !has_tag(html));
        for line in &mut page.lines {
            line.clean();
            line.drop_enumerator();
            line.drop_shortcodes();
        }
        page.titles = page.titles.into_iter().map(|title| composed(decoded_again(title))).collect();
        page
    }

    /// Joins each line to the one above it where `more` says that it goes on with it.
    /// `glue` stands between them.
    pub(super) fn join(&mut self, glue: &str, more: impl Fn(&Line, &Line) -> bool) {
        let lines = std::mem::take(&mut self.lines);
        // The new number of each line, and of the end.
        let mut numbers = Vec::with_capacity(lines.len() + 1);
        for line in lines {
            match self.lines.last_mut().filter(|last| more(last, &line)) {
                Some(last) => {
                    last.text += glue;
                    let offset = last.text.len();
                    last.text += &line.text;
                    last.links.extend(line.links.into_iter().map(|link| link.moved(offset)));
                    numbers.push(self.lines.len() - 1);
                }
                None => {
                    numbers.push(self.lines.len());
                    self.lines.push(line);
                }
            }
        }
        numbers.push(self.lines.len());
        for scope in &mut self.scopes {
            (scope.from, scope.to) = (numbers[scope.from], numbers[scope.to]);
        }
    }

    /// Cuts each line before the bytes that `at` gives, which rise.
    pub(super) fn split(&mut self, at: impl Fn(&Line) -> Vec<usize>) {
        let lines = std::mem::take(&mut self.lines);
        let mut numbers = Vec::with_capacity(lines.len() + 1);
        for mut line in lines {
            numbers.push(self.lines.len());
            let mut rest = Vec::new();
            for cut in at(&line).into_iter().rev() {
                let links = line.links.iter().filter(|link| link.start >= cut);
                let links =
                    links.map(|link| Link { start: link.start - cut, end: link.end - cut, href: link.href.clone() });
                rest.push(Line { text: line.text[cut..].to_owned(), links: links.collect(), lead: 0, ..line.clone() });
                line.text.truncate(line.text[..cut].trim_end().len());
                let end = line.text.len();
                line.links.retain(|link| link.start < end);
                line.links.iter_mut().for_each(|link| link.end = link.end.min(end));
            }
            self.lines.push(line);
            self.lines.extend(rest.into_iter().rev());
        }
        numbers.push(self.lines.len());
        for scope in &mut self.scopes {
            (scope.from, scope.to) = (numbers[scope.from], numbers[scope.to]);
        }
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub(super) fn lines_mut(&mut self) -> &mut [Line] {
        &mut self.lines
    }

    /// Finds the containers that may be cards.
    pub(super) fn number_frames(&mut self) {
        super::boxes::number(&mut self.lines, &self.around);
    }

    /// The containers that may be the article, without another within.
    fn innermost(&self) -> impl Iterator<Item = &Scope> {
        // They are in the order in which they open.
        let next = self.scopes.iter().skip(1).map(|scope| scope.from).chain([usize::MAX]);
        let inner = self.scopes.iter().zip(next).filter(|(scope, next)| scope.from < scope.to && scope.to <= *next);
        inner.map(|(scope, _)| scope)
    }

    /// Which lines are the article's: those of the innermost container with the most lines that `is_day` recognises
    /// by their number, and else of the container an author would expect. Where that is one of several beside each other that
    /// each hold a dated line, they are its cards, and the article is what holds them all.
    pub(super) fn article(&self, is_day: impl Fn(usize) -> bool, is_dated: impl Fn(usize) -> bool) -> Range<usize> {
        const FEWEST_CARDS: usize = 3;
        const LONGEST_CARD: usize = 20;
        let best = self.container(is_day);
        if best.len() > LONGEST_CARD {
            return best;
        }
        let cards: Vec<&Scope> = self
            .innermost()
            .filter(|card| card.to - card.from <= LONGEST_CARD && (card.from..card.to).any(&is_dated))
            .collect();
        let beside = cards.iter().any(|card| card.from == best.start && card.to == best.end);
        match cards.as_slice() {
            [first, .., last] if beside && cards.len() >= FEWEST_CARDS => {
                let around = self.scopes.iter().filter(|scope| scope.from <= first.from && last.to <= scope.to);
                around
                    .min_by_key(|scope| scope.to - scope.from)
                    .map_or(0..self.lines.len(), |scope| scope.from..scope.to)
            }
            _ => best,
        }
    }

    fn container(&self, is_day: impl Fn(usize) -> bool) -> Range<usize> {
        let mut days_before = Vec::with_capacity(self.lines.len() + 1);
        let mut days = 0usize;
        days_before.push(days);
        for at in 0..self.lines.len() {
            days += usize::from(is_day(at));
            days_before.push(days);
        }
        let whole = Scope { rank: 0, from: 0, to: self.lines.len() };
        let best = self
            .scopes
            .iter()
            .chain([&whole])
            .filter(|scope| scope.from < scope.to)
            .max_by_key(|scope| {
                let days = days_before[scope.to] - days_before[scope.from];
                let size = scope.to - scope.from;
                if days > 0 { (days, 0, usize::MAX - size) } else { (0, usize::from(scope.rank), size) }
            })
            .unwrap_or(&whole);
        best.from..best.to
    }
}

impl Line {
    /// Composes accents and decodes what was encoded twice, keeping links and cells on their words.
    fn clean(&mut self) {
        let text = std::mem::take(&mut self.text);
        let ends = self.links.iter().flat_map(|link| [link.start, link.end]);
        let cells = self.cells.iter().map(|cell| cell.from);
        let mut marks: Vec<usize> = ends.chain(cells).chain([self.lead]).collect();
        marks.sort_unstable();
        marks.dedup();
        // Piece by piece between the marks, so that their offsets follow.
        let mut out = String::with_capacity(text.len());
        let mut moved = Vec::with_capacity(marks.len());
        let mut at = 0;
        for mark in &marks {
            out += &composed(decoded_again(text[at..*mark].to_owned()));
            moved.push(out.len());
            at = *mark;
        }
        out += &composed(decoded_again(text[at..].to_owned()));
        self.text = out;
        let follow = |offset: &mut usize| {
            if let Ok(mark) = marks.binary_search(offset) {
                *offset = moved[mark];
            }
        };
        for link in &mut self.links {
            follow(&mut link.start);
            follow(&mut link.end);
        }
        self.cells.iter_mut().for_each(|cell| follow(&mut cell.from));
        follow(&mut self.lead);
    }
}

impl Line {
    /// The lines of a table row as one: its cells apart by `\n`, and so are the lines of a cell.
    pub(super) fn of_row(lines: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut lines = lines.into_iter();
        let mut row = lines.next()?;
        if row.cells.is_empty() {
            row.cells.push(Cell { spot: row.spot, from: 0 });
        }
        for line in lines {
            row.text.push('\n');
            let offset = row.text.len();
            if row.cells.last().is_none_or(|last| last.spot != line.spot) {
                row.cells.push(Cell { spot: line.spot, from: offset });
            }
            row.text += &line.text;
            row.links.extend(line.links.into_iter().map(|link| link.moved(offset)));
            row.shape.strong &= line.shape.strong;
        }
        Some(row)
    }

    /// The cells of a table row, each with the bytes of its words.
    pub(super) fn cells(&self) -> impl Iterator<Item = (Spot, Range<usize>)> {
        let ends = self.cells.iter().skip(1).map(|cell| cell.from).chain([self.text.len()]);
        self.cells.iter().zip(ends).map(|(cell, end)| {
            let words = self.text[cell.from..end].trim_end();
            (cell.spot, cell.from..cell.from + words.len())
        })
    }

    /// Puts words before byte `at`.
    pub(super) fn insert(&mut self, at: usize, words: &str) {
        self.text.insert_str(at, words);
        let moved = |offset: &mut usize| *offset += if *offset >= at { words.len() } else { 0 };
        self.links.iter_mut().for_each(|link| {
            moved(&mut link.start);
            moved(&mut link.end);
        });
        self.cells.iter_mut().for_each(|cell| moved(&mut cell.from));
        moved(&mut self.lead);
    }

    /// Removes the bytes `start..end`, with the links that lie in them.
    fn cut(&mut self, start: usize, end: usize) {
        let cut = end - start;
        self.text.replace_range(start..end, "");
        self.links.retain(|link| link.end <= start || link.start >= end);
        for link in self.links.iter_mut().filter(|link| link.start >= end) {
            (link.start, link.end) = (link.start - cut, link.end - cut);
        }
        let lead = std::iter::once(&mut self.lead);
        for offset in self.cells.iter_mut().map(|cell| &mut cell.from).chain(lead).filter(|offset| **offset > start) {
            *offset = offset.saturating_sub(cut).max(start);
        }
    }

    /// `1) Mardi 14…`: the number is the sign of a bullet.
    fn drop_enumerator(&mut self) {
        let digits = self.text.bytes().take_while(u8::is_ascii_digit).count();
        let rest = &self.text[digits..];
        if (1..=2).contains(&digits) && rest.starts_with(") ") && !self.text.contains('\n') {
            self.cut(0, digits + 2);
            self.bullet = true;
        }
    }

    /// Removes words that are struck through, where others stand in their place: `<del>15 h</del> 9 h 30`. Where most of the
    /// line is struck through, it is what does not take place, and stays.
    pub(super) fn drop_struck(&mut self, struck: &[(usize, usize)]) {
        const MOST: usize = 12;
        let length = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        // `<s>Feu d'artifice</s> Reporté à samedi`: what is struck through, and what became of it.
        if let Some((_, to)) = struck.last() {
            let rest = super::text::folded(self.text[*to..].trim_start());
            if ["annul", "supprim", "report"].iter().any(|state| rest.starts_with(state)) {
                self.insert(*to, ",");
                return;
            }
        }
        let gone: usize = struck.iter().map(|(from, to)| length(&self.text[*from..*to])).sum();
        if gone == 0 || struck.len() > MOST || length(&self.text) < 3 * gone {
            return;
        }
        // `<s>Concours de belote</s> annulé`: the rest says only what became of it.
        let kept: String = struck.iter().rev().fold(self.text.clone(), |mut text, (from, to)| {
            text.replace_range(from..to, "");
            text
        });
        let kept = super::text::folded(&kept);
        if ["annul", "supprim", "report"].iter().any(|state| kept.contains(state)) {
            return;
        }
        for (from, to) in struck.iter().rev() {
            // One of the blanks around it.
            let blank = self.text[*to..].starts_with(' ') && (*from == 0 || self.text[..*from].ends_with(' '));
            self.cut(*from, to + usize::from(blank));
        }
    }

    /// Removes shortcodes of page builders: `[vc_row]`, `[/caption]`, `[gallery ids="12"]`. `[COMPLET]` stays.
    fn drop_shortcodes(&mut self) {
        let mut from = 0;
        while let Some((start, end)) = shortcode(&self.text, from) {
            self.cut(start, end);
            from = start;
        }
        if from > 0 || self.text.starts_with(' ') {
            let kept = self.text.trim_end().len();
            self.text.truncate(kept);
            self.cells.retain(|cell| cell.from <= kept);
        }
    }
}

/// The first shortcode from byte `from` on: `[name …]` or `[/name]`, the name as page builders form them.
fn shortcode(text: &str, from: usize) -> Option<(usize, usize)> {
    const LONGEST: usize = 400;
    let mut from = from;
    loop {
        let start = from + text[from..].find('[')?;
        let inner = &text[start + 1..];
        let close = inner.find(']').filter(|close| *close <= LONGEST)?;
        let inner = &inner[..close];
        let name = inner.trim_start_matches('/');
        let word = name.split([' ', '=', '/']).next().unwrap_or_default();
        let formed = word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'));
        const NAMES: [&str; 11] = [
            "gallery",
            "caption",
            "embed",
            "audio",
            "video",
            "playlist",
            "shortcode",
            "button",
            "row",
            "column",
            "divider",
        ];
        let coded = inner.starts_with('/')
            || inner.contains("=\"")
            || inner.contains("='")
            || inner.contains('=')
            || word.contains('_')
            || NAMES.contains(&word);
        if formed && coded {
            return Some((start, start + 1 + close + 1));
        }
        from = start + 1;
    }
}

/// Whether there is any tag at all.
fn has_tag(html: &str) -> bool {
    html.match_indices('<')
        .any(|(at, _)| html[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!'))
}

fn has_block_tag(text: &str) -> bool {
    ["<p>", "<p ", "<br", "<li>", "<li ", "<h2", "<h3", "<h4", "<div"].iter().any(|tag| text.contains(tag))
}

/// `&amp;rsquo;` was decoded to `&rsquo;`: decode once more.
fn decoded_again(text: String) -> String {
    let encoded = text.match_indices('&').any(|(at, _)| {
        let rest = &text.as_bytes()[at + 1..];
        let name = rest.iter().take(10).take_while(|b| b.is_ascii_alphanumeric() || **b == b'#').count();
        name >= 2 && rest.get(name) == Some(&b';')
    });
    if !encoded {
        return text;
    }
    let escaped = text.replace('<', "&lt;");
    let decoded = page_builder::characters(&escaped);
    let mut out = String::with_capacity(decoded.len());
    for c in decoded.chars() {
        out.push(if is_space(c) && c != '\n' { ' ' } else { c });
    }
    out
}

/// Truncates tags with very many attributes: the tokenizer compares each attribute with all previous ones.
fn with_short_tags(html: &str) -> Cow<'_, str> {
    const LONGEST_HONEST_TAG: usize = 4096;
    const MOST_ATTRIBUTES: usize = 500;
    let mut out = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(open) = html[from..].find('<').map(|at| from + at) {
        let end = html[open + 1..].find(['<', '>']).map_or(html.len(), |at| open + 1 + at);
        from = end.max(open + 1);
        let tag = &html[open..end];
        if tag.len() > LONGEST_HONEST_TAG && tag.split([' ', '\n', '\t', '/']).nth(MOST_ATTRIBUTES).is_some() {
            out += &html[copied..open];
            out += tag.split([' ', '\n', '\t', '/']).next().unwrap_or_default();
            out.push_str(if html[end..].starts_with('>') { "" } else { ">" });
            copied = end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(html);
    }
    out += &html[copied..];
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(html: &str) -> Vec<String> {
        let page = Page::read(html);
        page.lines()[page.article(|_| false, |_| false)].iter().map(|line| line.text.clone()).collect()
    }

    #[test]
    fn a_container_within_a_row_of_a_table_is_the_line_of_the_row() {
        let html = "<table><tr><td>Lundi 12<td>10 h<td><article>Visite</article></tr></table>";
        assert_eq!(lines(html), ["Lundi 12\n10 h\nVisite"]);
    }

    #[test]
    fn words_are_never_joined() {
        assert_eq!(
            lines("<li>à Pavie<br/>et à Auch<p>dès 9&nbsp;h</p><div>a</div>b<b>c</b></li>"),
            ["à Pavie", "et à Auch", "dès 9 h", "a", "bc"]
        );
    }

    #[test]
    fn cells_begin_where_their_words_do_also_after_what_was_decoded_twice_or_dropped() {
        for (html, cells) in [
            ("<tr><td>&amp;eacute;&amp;eacute;</td><td>Été</td><td>ici</td></tr>", &["éé", "Été", "ici"][..]),
            ("<tr><td>e\u{301}te\u{301}</td><td>É</td></tr>", &["été", "É"]),
            ("<tr><td>[vc_row]un</td><td>dé[/vc_row]ux</td><td>É</td></tr>", &["un", "déux", "É"]),
            ("<tr><td><a href='/x'>l&amp;rsquo;un</a></td><td>É [caption]</td></tr>", &["l’un", "É"]),
        ] {
            let page = Page::read(&format!("<table>{html}</table>"));
            let line = &page.lines[0];
            let found: Vec<_> = line.cells().map(|(_, words)| &line.text[words]).collect();
            assert_eq!(found, cells, "{html}");
        }
    }

    #[test]
    fn a_number_before_a_bracket_is_a_bullet() {
        let page = Page::read("1) Mardi\n12 h\n300) km");
        let lines: Vec<_> = page.lines.iter().map(|line| (line.text.as_str(), line.bullet)).collect();
        assert_eq!(lines, [("Mardi", true), ("12 h", false), ("300) km", false)]);
        let lines = Page::read("<p>2) <a href='/x'>Jeudi</a></p>").lines;
        assert_eq!((&*lines[0].text, lines[0].links[0].start, lines[0].bullet), ("Jeudi", 0, true));
    }

    #[test]
    fn a_cell_over_several_columns_moves_those_behind_it() {
        let html = "<table><tr><td>a</td><td colspan=2>b</td><td></td><td colspan='x'>c</td></tr></table>";
        assert_eq!(spots(html), [[(1, 1), (2, 2), (5, 1)]]);
    }

    /// The column of each cell of each row, and how many columns it takes.
    fn spots(html: &str) -> Vec<Vec<(usize, usize)>> {
        let page = Page::read(html);
        page.lines.iter().map(|line| line.cells().map(|(spot, _)| (spot.column, spot.columns)).collect()).collect()
    }

    #[test]
    fn a_cell_over_several_rows_moves_those_of_the_rows_below_it() {
        let rows = [
            "<tr><th rowspan=2>a</th><td>b</td><td rowspan='3' colspan=2>c</td><td>d</td></tr>",
            "<tr><td>e</td><td>f</td></tr>",
            "<tr><td>g</td><td>h</td><td>i</td></tr>",
            "<tr><td>j</td><td>k</td></tr>",
        ];
        let html = format!("<table>{}</table>", rows.concat());
        let want = [
            vec![(1, 1), (2, 1), (3, 2), (5, 1)],
            vec![(2, 1), (5, 1)],
            vec![(1, 1), (2, 1), (5, 1)],
            vec![(1, 1), (2, 1)],
        ];
        assert_eq!(spots(&html), want);
        let other = "<table><tr><td>a</td><td>b</td></tr></table>";
        assert_eq!(spots(&format!("{html}{other}"))[4], [(1, 1), (2, 1)], "its cells end with the table");
    }

    #[test]
    fn many_tall_cells_take_linear_time() {
        let row = format!("<tr>{}</tr>", "<td rowspan=99999>a".repeat(2000));
        let html = format!("<table>{row}{}</table>", "<tr><td>b<td>c</tr>".repeat(50_000));
        assert!(lines(&html).len() > 50_000);
    }

    #[test]
    fn a_row_of_cells_is_one_record_and_a_cell_that_holds_a_list_is_not() {
        let html = "<table><tr><td>Lundi 12<td>10 h<td>Visite</tr><tr><td>a<br>b</td><td>c</td></tr></table>";
        assert_eq!(lines(html), ["Lundi 12\n10 h\nVisite", "a\nb\nc"]);
        let layout = "<table><tr><td><ul><li>a</li><li>b</li></ul></td><td>c</td></tr></table>";
        assert_eq!(lines(layout), ["a", "b", "c"]);
    }

    #[test]
    fn plain_text_keeps_its_lines_and_twice_encoded_html_is_read() {
        assert_eq!(lines("Lundi 12\n- à 10 h &amp; plus"), ["Lundi 12", "- à 10 h & plus"]);
        assert_eq!(lines("&lt;p&gt;Lundi&lt;/p&gt;&lt;p&gt;l&amp;rsquo;été&lt;/p&gt;"), ["Lundi", "l’été"]);
        assert_eq!(lines("<p>L&amp;rsquo;&amp;eacute;t&amp;eacute;</p>"), ["L’été"]);
    }

    #[test]
    fn links_keep_their_words() {
        let page = Page::read("<p>le <a href='/x'>caf&amp;eacute; e\u{301}te\u{301}</a> ici</p>");
        let line = &page.lines[0];
        assert_eq!(line.text, "le café été ici");
        assert_eq!(&line.text[line.links[0].start..line.links[0].end], "café été");
    }

    #[test]
    fn the_article_is_found_within_the_page() {
        let html = "<html><head><title>T &amp; U</title></head><body><header><p>site</p></header><nav>menu</nav>\
            <main><article><h1>Titre</h1><div class='entry-content'><p>jour</p></div>\
            <div id='comments'><p>jour 2</p></div></article><article><p>autre</p></article></main><footer>pied</footer>";
        let page = Page::read(html);
        assert_eq!(page.titles, ["T & U", "Titre"]);
        let day = |at: usize| page.lines()[at].text.contains("jour");
        let article = page.article(day, day);
        let lines: Vec<_> = page.lines()[article].iter().map(|line| line.text.as_str()).collect();
        assert_eq!(lines, ["jour"]);
    }

    #[test]
    fn cards_in_containers_of_their_own_are_one_article() {
        let card = |n: usize| format!("<article><span>Complet</span><p>jour {n}</p><p>plus</p></article>");
        let html = format!("<p>a</p>{}<article><p>autre</p></article>{}{}<p>z</p>", card(1), card(2), card(3));
        let page = Page::read(&html);
        let dated = |at: usize| page.lines()[at].text.contains("jour");
        assert_eq!(page.article(|_| false, dated), 0..page.lines().len());
    }

    #[test]
    fn a_tag_with_a_thousand_attributes_is_truncated() {
        let html = format!("<p {}>texte</p>", (0..5000).map(|n| format!("a{n} ")).collect::<String>());
        assert_eq!(lines(&html), ["texte"]);
    }

    #[test]
    fn deep_nesting_takes_linear_time() {
        let html = "<div><b>".repeat(50_000) + "fond";
        assert_eq!(lines(&html), ["fond"]);
    }
}
