//! Converts HTML to lines: words, line breaks, links.
//!
//! Chooses the article inside a page, and has every rule about tags. Only the *tokenizer* of html5ever is used: building
//! a tree takes quadratic time on hostile nesting, and is not needed here. Must never join two words (`Pavie<br>et à` is
//! two lines) and never recurse. Independent of French.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, CharacterTokens, EndTag, NullCharacterToken, StartTag, Tag, TagToken, Token, TokenSink,
    TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::{LocalName, local_name};

use crate::domain::link;

use super::tags::{
    FURNITURE, attribute, heading_level, is_block, is_foreign, is_strong, is_void, raw_text, scope_rank,
};
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
    /// A table row made of `<th>` only.
    pub(super) header_row: bool,
    pub(super) cell: usize,
    /// Of a table row: the number of each cell that has words, and the byte where they begin.
    pub(super) cells: Vec<(usize, usize)>,
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

/// The result of reading the HTML.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// `<title>` and `<h1>`: they may name the week.
    pub(super) titles: Vec<String>,
    lines: Vec<Line>,
    scopes: Vec<Scope>,
}

/// A container that may be the article: its lines are `from..to`.
#[derive(Debug, Clone, Copy)]
struct Scope {
    rank: u8,
    from: usize,
    to: usize,
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
        let builder = Builder { plain: !has_tag(html), ..Builder::default() };
        let builder = tokenize(&with_short_tags(html), Sink(RefCell::new(builder))).0.into_inner();
        let mut page = builder.finish();
        for line in &mut page.lines {
            line.clean();
            line.drop_shortcodes();
        }
        page.titles = page.titles.into_iter().map(|title| composed(decoded_again(title))).collect();
        page
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Which lines are the article's: those of the innermost container with the most lines that `is_day` recognises
    /// by their number, and else of the container an author would expect.
    pub(super) fn article(&self, is_day: impl Fn(usize) -> bool) -> std::ops::Range<usize> {
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
    /// Composes accents and decodes what was encoded twice, keeping the links on their words.
    fn clean(&mut self) {
        let text = std::mem::take(&mut self.text);
        if self.links.is_empty() {
            self.text = composed(decoded_again(text));
            return;
        }
        // Piece by piece between the ends of the links, so that their offsets follow.
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for link in &mut self.links {
            out += &composed(decoded_again(text[at..link.start].to_owned()));
            let start = out.len();
            out += &composed(decoded_again(text[link.start..link.end].to_owned()));
            at = link.end;
            (link.start, link.end) = (start, out.len());
        }
        out += &composed(decoded_again(text[at..].to_owned()));
        self.text = out;
    }
}

impl Line {
    /// Removes shortcodes of page builders: `[vc_row]`, `[/caption]`, `[gallery ids="12"]`. `[COMPLET]` stays.
    fn drop_shortcodes(&mut self) {
        let mut from = 0;
        while let Some((start, end)) = shortcode(&self.text, from) {
            let cut = end - start;
            self.text.replace_range(start..end, "");
            self.links.retain(|link| link.end <= start || link.start >= end);
            for link in self.links.iter_mut().filter(|link| link.start >= end) {
                (link.start, link.end) = (link.start - cut, link.end - cut);
            }
            from = start;
        }
        if from > 0 || self.text.starts_with(' ') {
            let kept = self.text.trim_end().len();
            self.text.truncate(kept);
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
    let decoded = tokenize(&escaped, Characters(RefCell::default())).0.into_inner();
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

fn tokenize<S: TokenSink>(html: &str, sink: S) -> S {
    let input = BufferQueue::default();
    // Tendrils are made of at most 4 GiB; the fetcher's limit is far below.
    input.push_back(StrTendril::from_slice(html));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    while !input.is_empty() {
        let _ = tokenizer.feed(&input);
    }
    tokenizer.end();
    tokenizer.sink
}

struct Characters(RefCell<String>);

impl TokenSink for Characters {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        if let CharacterTokens(text) = token {
            self.0.borrow_mut().push_str(&text);
        }
        TokenSinkResult::Continue
    }
}

struct Sink(RefCell<Builder>);

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut builder = self.0.borrow_mut();
        match token {
            CharacterTokens(text) => builder.text(&text),
            NullCharacterToken => {}
            TagToken(tag) if tag.kind == StartTag => return builder.open(&tag),
            TagToken(Tag { kind: EndTag, name, .. }) => builder.close(&name),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// An element that is open.
struct Open {
    name: LocalName,
    strong: bool,
    hidden: bool,
    scope: Option<usize>,
    href: Option<String>,
}

struct Row {
    first_line: usize,
    cells: usize,
    headers: usize,
    nested: bool,
}

#[derive(Default)]
struct Builder {
    plain: bool,
    page: Page,
    open: Vec<Open>,
    /// The number of open elements by name: an end tag without start must not search the whole stack.
    counts: HashMap<LocalName, usize>,
    hidden: usize,
    strong: usize,
    headings: Vec<u8>,
    rows: Vec<Row>,
    hrefs: Vec<String>,
    scopes_open: usize,
    line: Line,
    space: bool,
    bold: usize,
    block: usize,
    bullet: bool,
    lists: usize,
    breaks: usize,
    title: Option<String>,
}

impl Builder {
    fn text(&mut self, text: &str) {
        if let Some(title) = &mut self.title {
            title.push_str(text);
            return;
        }
        if self.hidden > 0 {
            return;
        }
        let lines_count = self.plain || self.counts.get(&local_name!("pre")).is_some_and(|n| *n > 0);
        for c in text.chars() {
            if c == '\n' && lines_count {
                self.line_break();
            } else if is_space(c) {
                self.space = true;
            } else {
                self.letter(c);
            }
        }
    }

    fn letter(&mut self, c: char) {
        self.breaks = 0;
        if std::mem::take(&mut self.space) && !self.line.text.is_empty() {
            self.line.text.push(' ');
        }
        if self.line.text.is_empty() {
            self.line.block = self.block;
            self.line.bullet = std::mem::take(&mut self.bullet);
            self.line.in_list = self.lists > 0 || self.counts.get(&local_name!("li")).is_some_and(|n| *n > 0);
            self.line.shape.heading = self.headings.last().copied().unwrap_or_default();
            self.line.cell = self.rows.last().map_or(0, |row| row.cells);
        }
        if self.line.links.last().is_none_or(|link| link.end != 0)
            && let Some(href) = self.hrefs.last()
        {
            let start = self.line.text.len();
            self.line.links.push(Link { start, end: 0, href: href.clone() });
        }
        if self.strong > 0 {
            self.bold += c.len_utf8();
        }
        self.line.text.push(c);
    }

    fn end_link(&mut self) {
        let end = self.line.text.len();
        if let Some(link) = self.line.links.last_mut().filter(|link| link.end == 0) {
            link.end = end;
        }
    }

    fn end_line(&mut self) {
        self.end_link();
        self.space = false;
        let bold = std::mem::take(&mut self.bold);
        if self.line.text.is_empty() {
            return;
        }
        let mut line = std::mem::take(&mut self.line);
        line.shape.strong =
            bold > 0 && bold + line.text.matches([' ', ':', '.', '-', '–', '•']).count() * 3 >= line.text.len();
        self.page.lines.push(line);
    }

    /// A `<br>`. Two in a row are what an editor without paragraphs types between them.
    fn line_break(&mut self) {
        self.end_line();
        self.breaks += 1;
        if self.breaks == 2 {
            self.block += 1;
        }
    }

    fn end_block(&mut self) {
        self.end_line();
        self.block += 1;
    }

    fn open(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &tag.name;
        self.close_implied(name);
        if *name == local_name!("br") {
            if self.hidden == 0 {
                self.line_break();
            }
            return TokenSinkResult::Continue;
        }
        if is_void(name) {
            if *name == local_name!("hr") {
                self.end_block();
            }
            return TokenSinkResult::Continue;
        }
        if is_block(name) {
            self.end_block();
        }
        let hidden = self.is_hidden(tag);
        let strong = is_strong(tag);
        let scope = if hidden || self.hidden > 0 { None } else { scope_rank(tag) }.map(|rank| {
            let from = self.page.lines.len();
            self.page.scopes.push(Scope { rank, from, to: from });
            self.page.scopes.len() - 1
        });
        let href = if *name == local_name!("a") { attribute(tag, "href").map(str::to_owned) } else { None };
        let href = href.filter(|href| link::is_web(href.trim()) || link::is_relative(href.trim()));
        self.hidden += usize::from(hidden);
        self.strong += usize::from(strong);
        self.scopes_open += usize::from(scope.is_some());
        if let Some(href) = &href {
            self.end_link();
            self.hrefs.push(href.trim().to_owned());
        }
        if let Some(level) = heading_level(name) {
            self.headings.push(level);
        }
        if *name == local_name!("ul") || *name == local_name!("ol") {
            self.lists += 1;
        }
        if *name == local_name!("li") {
            self.bullet = true;
        }
        if *name == local_name!("tr") {
            if let Some(outer) = self.rows.last_mut() {
                outer.nested = true;
            }
            self.rows.push(Row { first_line: self.page.lines.len(), cells: 0, headers: 0, nested: false });
        }
        if let Some(row) = self.rows.last_mut() {
            row.cells += usize::from(*name == local_name!("td") || *name == local_name!("th"));
            row.headers += usize::from(*name == local_name!("th"));
        }
        if *name == local_name!("title") {
            self.title = Some(String::new());
        }
        if !tag.self_closing || !is_foreign(name) {
            *self.counts.entry(name.clone()).or_default() += 1;
            self.open.push(Open { name: name.clone(), strong, hidden, scope, href });
        }
        raw_text(name)
    }

    /// `<li>` closes an open `<li>`, a cell closes a cell: authors leave the end tags out.
    fn close_implied(&mut self, name: &LocalName) {
        let (closes, until): (&[&str], &[&str]) = match &**name {
            "li" => (&["li"], &["ul", "ol"]),
            "td" | "th" => (&["td", "th"], &["tr", "table"]),
            "tr" => (&["tr"], &["table"]),
            "p" => (&["p"], &["div", "li", "td", "article", "section", "body"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl"]),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                (&["p", "h1", "h2", "h3", "h4", "h5", "h6"], &["div", "li", "td", "article", "section", "body"])
            }
            _ => return,
        };
        // A short look-back is enough for real markup, and keeps hostile nesting linear.
        let found = self
            .open
            .iter()
            .rev()
            .take(8)
            .take_while(|open| !until.contains(&&*open.name))
            .find(|open| closes.contains(&&*open.name));
        if let Some(name) = found.map(|open| open.name.clone()) {
            self.close(&name);
        }
    }

    fn close(&mut self, name: &LocalName) {
        if self.counts.get(name).is_none_or(|n| *n == 0) {
            if is_block(name) && self.hidden == 0 {
                self.end_block();
            }
            return;
        }
        while let Some(open) = self.open.pop() {
            let found = open.name == *name;
            self.pop(open);
            if found {
                return;
            }
        }
    }

    fn pop(&mut self, open: Open) {
        if let Some(count) = self.counts.get_mut(&open.name) {
            *count -= 1;
        }
        if is_block(&open.name) {
            self.end_block();
        }
        if open.href.is_some() {
            self.end_link();
            self.hrefs.pop();
        }
        if let Some(scope) = open.scope {
            self.end_line();
            self.page.scopes[scope].to = self.page.lines.len();
            self.scopes_open -= 1;
        }
        self.hidden -= usize::from(open.hidden);
        self.strong -= usize::from(open.strong);
        if let Some(level) = heading_level(&open.name) {
            self.headings.pop();
            if level == 1
                && let Some(line) = self.page.lines.last()
            {
                self.page.titles.push(line.text.clone());
            }
        }
        match &*open.name {
            "ul" | "ol" => self.lists -= 1,
            "li" => self.bullet = false,
            "tr" => self.end_row(),
            "title" => self.page.titles.extend(self.title.take()),
            _ => {}
        }
    }

    /// A row whose cells are one line each is one record: one line, its cells apart by `\n`.
    fn end_row(&mut self) {
        const LONGEST_RECORD: usize = 2000;
        const MOST_LINES: usize = 4;
        let Some(row) = self.rows.pop() else { return };
        let first = row.first_line.min(self.page.lines.len());
        let lines = &self.page.lines[first..];
        if row.nested || lines.is_empty() || row.cells < 2 {
            return;
        }
        // A cell of several lines is one field of the record; a cell that holds a list of things is not.
        let ordered = lines.windows(2).all(|pair| pair[0].cell <= pair[1].cell);
        let crowded = lines
            .chunk_by(|a, b| a.cell == b.cell)
            .any(|cell| cell.len() > MOST_LINES || cell.iter().skip(1).any(|line| line.bullet));
        if !ordered || crowded || lines.iter().map(|line| line.text.len()).sum::<usize>() > LONGEST_RECORD {
            return;
        }
        let mut cells = self.page.lines.drain(first..);
        let Some(mut record) = cells.next() else { return };
        record.bullet = true;
        record.cells.push((record.cell, 0));
        for cell in cells {
            record.text.push('\n');
            let offset = record.text.len();
            if record.cells.last().is_none_or(|(number, _)| *number != cell.cell) {
                record.cells.push((cell.cell, offset));
            }
            record.text += &cell.text;
            record.links.extend(cell.links.into_iter().map(|link| Link {
                start: link.start + offset,
                end: link.end + offset,
                ..link
            }));
            record.shape.strong &= cell.shape.strong;
        }
        record.header_row = row.headers == row.cells && row.cells > 1;
        self.page.lines.push(record);
        // A container within the row is this one line now.
        let upto = self.page.lines.len();
        for scope in self.page.scopes.iter_mut().rev().take_while(|scope| scope.from >= first) {
            (scope.from, scope.to) = (scope.from.min(upto), scope.to.min(upto));
        }
    }

    fn is_hidden(&self, tag: &Tag) -> bool {
        match &*tag.name {
            "script" | "style" | "template" | "svg" | "nav" | "footer" | "select" | "button" | "textarea"
            | "iframe" | "object" | "video" | "audio" | "canvas" | "title" | "noembed" | "noframes" | "xmp"
            | "figcaption" => {
                return true;
            }
            // Inside the article they hold its title or a boxed text; outside they are the site's.
            "header" | "aside" if self.scopes_open == 0 => return true,
            "html" | "body" | "main" => return false,
            _ => {}
        }
        let hidden_style = attribute(tag, "style").is_some_and(|style| {
            style.to_ascii_lowercase().split(';').any(|rule| rule.replace(' ', "") == "display:none")
        });
        // A letter's own table is its content, a box to subscribe to one is not.
        let holds_all = matches!(&*tag.name, "table" | "tbody" | "tr" | "td" | "article");
        let named = |value: &str| {
            !holds_all
                && value.split_ascii_whitespace().any(|word| FURNITURE.contains(&word.to_ascii_lowercase().as_str()))
        };
        hidden_style
            || attribute(tag, "hidden").is_some()
            || attribute(tag, "class").is_some_and(named)
            || attribute(tag, "id").is_some_and(named)
    }

    fn finish(mut self) -> Page {
        while let Some(open) = self.open.pop() {
            self.pop(open);
        }
        self.end_line();
        self.page
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(html: &str) -> Vec<String> {
        let page = Page::read(html);
        page.lines()[page.article(|_| false)].iter().map(|line| line.text.clone()).collect()
    }

    #[test]
    fn a_container_within_a_row_of_a_table_is_the_line_of_the_row() {
        let html = "<table><tr><td>Lundi 12<td>10 h<td><article>Visite</article></tr></table>";
        assert_eq!(lines(html), ["Lundi 12\n10 h\nVisite"]);
    }

    #[test]
    fn words_are_never_glued() {
        assert_eq!(
            lines("<li>à Pavie<br/>et à Auch<p>dès 9&nbsp;h</p><div>a</div>b<b>c</b></li>"),
            ["à Pavie", "et à Auch", "dès 9 h", "a", "bc"]
        );
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
    fn the_article_is_found_among_the_furniture() {
        let html = "<html><head><title>T &amp; U</title></head><body><header><p>site</p></header><nav>menu</nav>\
            <main><article><h1>Titre</h1><div class='entry-content'><p>jour</p></div>\
            <div id='comments'><p>jour 2</p></div></article><article><p>autre</p></article></main><footer>pied</footer>";
        let page = Page::read(html);
        assert_eq!(page.titles, ["T & U", "Titre"]);
        let article = page.article(|at| page.lines()[at].text.contains("jour"));
        let lines: Vec<_> = page.lines()[article].iter().map(|line| line.text.as_str()).collect();
        assert_eq!(lines, ["jour"]);
    }

    #[test]
    fn a_tag_of_a_thousand_attributes_is_cut() {
        let html = format!("<p {}>texte</p>", (0..5000).map(|n| format!("a{n} ")).collect::<String>());
        assert_eq!(lines(&html), ["texte"]);
    }

    #[test]
    fn deep_nesting_is_only_long() {
        let html = "<div><b>".repeat(50_000) + "fond";
        assert_eq!(lines(&html), ["fond"]);
    }
}
