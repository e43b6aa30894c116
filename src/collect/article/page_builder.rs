//! Builds the lines of a page from the tokens of html5ever: blocks, rows of tables, links, hidden elements.

use std::cell::RefCell;
use std::collections::HashMap;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, CharacterTokens, EndTag, NullCharacterToken, StartTag, Tag, TagToken, Token, TokenSink,
    TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::{LocalName, local_name};

use super::html::{Cell, Line, Link, Page, Scope, Spot};
use super::tags::{
    FURNITURE, attribute, heading_level, is_block, is_foreign, is_strong, is_void, raw_text, scope_rank,
};
use super::text::{is_bullet, is_space};
use crate::domain::link;

/// The lines of a page. `plain`: there are no tags, so line ends are line breaks.
pub(super) fn build(html: &str, plain: bool) -> Page {
    tokenize(html, Sink(RefCell::new(Builder { plain, ..Builder::default() }))).0.into_inner().finish()
}

/// The words of a document without its tags, entities decoded.
pub(super) fn characters(html: &str) -> String {
    tokenize(html, Characters(RefCell::default())).0.into_inner()
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
    /// The container around it, of one that may hold a card.
    around: Option<usize>,
    href: Option<String>,
}

#[derive(Default)]
struct Row {
    first_line: usize,
    cells: usize,
    /// The open cell.
    spot: Spot,
    /// Its cells that reach into the rows below.
    tall: Vec<Spot>,
    headers: usize,
    nested: bool,
}

#[derive(Default)]
struct Table {
    number: usize,
    /// For how many more rows a cell from above takes each column.
    taken: Vec<usize>,
}

impl Table {
    fn takes(&self, column: usize) -> bool {
        self.taken.get(column).is_some_and(|rows| *rows > 0)
    }

    fn end_row(&mut self, tall: &[Spot]) {
        self.taken.iter_mut().for_each(|rows| *rows = rows.saturating_sub(1));
        for spot in tall {
            let end = (spot.column + spot.columns).min(WIDEST);
            self.taken.resize(self.taken.len().max(end), 0);
            self.taken.iter_mut().take(end).skip(spot.column).for_each(|rows| *rows = spot.rows - 1);
        }
    }
}

/// Columns that a cell may take, and up to which cells are followed into the rows below.
const WIDEST: usize = 60;
/// Rows that a cell may take.
const TALLEST: usize = 200;

/// `colspan` or `rowspan`.
fn span(tag: &Tag, name: &str, most: usize) -> usize {
    attribute(tag, name).and_then(|span| span.trim().parse().ok()).unwrap_or(1).clamp(1, most)
}

/// `SAM`, `DIM`, `26`, `27`, `AOÛT`: a date, part by part, in a cell of its own.
fn is_badge(cell: &[Line]) -> bool {
    const LONGEST_PART: usize = 12;
    const MOST_PARTS: usize = 7;
    cell.len() <= MOST_PARTS && cell.iter().all(|line| line.text.len() <= LONGEST_PART)
}

fn strikes(name: &LocalName) -> bool {
    matches!(&**name, "del" | "s" | "strike")
}

/// `<dt>18 h</dt>`
struct Term {
    line: Line,
    /// It stands in front of a definition.
    used: bool,
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
    tables: Vec<Table>,
    rows: Vec<Row>,
    tables_begun: usize,
    rows_begun: usize,
    hrefs: Vec<String>,
    scopes_open: usize,
    /// The innermost open container that may hold a card.
    within: usize,
    line: Line,
    space: bool,
    /// Bytes of its letters and figures that are bold.
    bold: usize,
    /// The line that the open `<dt>` or `<dd>` begins with.
    definition_from: usize,
    /// The hour of the definitions that follow.
    term: Option<Term>,
    striking: usize,
    /// What is struck through in the line.
    struck: Vec<(usize, usize)>,
    /// The line begins with bold words.
    leads_bold: bool,
    /// All its words were bold so far.
    bold_only: bool,
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
        // `… salle des fêtes. ■ Don du sang. — …`: a sign between two notices of one paragraph.
        if matches!(c, '■' | '◆' | '◼' | '♦') && self.space && !self.line.text.is_empty() {
            let block = self.line.block;
            self.end_line();
            (self.bullet, self.line.block) = (true, block);
            return;
        }
        self.breaks = 0;
        if std::mem::take(&mut self.space) && !self.line.text.is_empty() {
            self.line.text.push(' ');
        }
        if self.line.text.is_empty() {
            self.bold_only = true;
            self.line.block = self.block;
            self.line.bullet = std::mem::take(&mut self.bullet);
            self.line.depth = self.lists;
            self.line.in_list = self.lists > 0 || self.counts.get(&local_name!("li")).is_some_and(|n| *n > 0);
            self.line.shape.heading = self.headings.last().copied().unwrap_or_default();
            let within = |name| self.counts.get(&name).is_some_and(|n| *n > 0);
            (self.line.term, self.line.definition) = (within(local_name!("dt")), within(local_name!("dd")));
            self.line.spot = self.rows.last().map_or(Spot::default(), |row| row.spot);
        }
        if self.line.links.last().is_none_or(|link| link.end != 0)
            && let Some(href) = self.hrefs.last()
        {
            let start = self.line.text.len();
            self.line.links.push(Link { start, end: 0, href: href.clone() });
        }
        if self.strong > 0 && c.is_alphanumeric() {
            self.bold += c.len_utf8();
            self.leads_bold |= self.line.text.is_empty();
        }
        if self.striking > 0 {
            let at = self.line.text.len();
            match self.struck.last_mut().filter(|(_, to)| self.line.text[*to..].trim().is_empty()) {
                Some((_, to)) => *to = at + c.len_utf8(),
                None => self.struck.push((at, at + c.len_utf8())),
            }
        }
        self.line.text.push(c);
        // The sign of a bullet may stand before the bold words.
        if self.strong > 0 && self.bold_only {
            self.line.lead = self.line.text.len();
        } else if self.strong == 0 && (self.line.lead > 0 || !is_bullet(c) && !is_space(c)) {
            self.bold_only = false;
        }
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
        let (bold, leads_bold) = (std::mem::take(&mut self.bold), std::mem::take(&mut self.leads_bold));
        let struck = std::mem::take(&mut self.struck);
        if self.line.text.is_empty() {
            return;
        }
        let mut line = std::mem::take(&mut self.line);
        let words: usize = line.text.chars().filter(|c| c.is_alphanumeric()).map(char::len_utf8).sum();
        // `<b>Conte</b> (5 ans)` is, `Dim. 11 : <b>pardon de la mer</b>` is not.
        line.shape.strong = bold > 0 && (words - bold) * if leads_bold { 2 } else { 6 } <= words;
        if line.lead >= line.text.len() {
            line.lead = 0;
        }
        line.drop_struck(&struck);
        line.within = self.within;
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
        let around = super::boxes::may_hold_a_card(name).then(|| {
            self.page.around.push(self.within);
            std::mem::replace(&mut self.within, self.page.around.len())
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
        if *name == local_name!("dt") {
            self.release_term();
        }
        if *name == local_name!("dt") || *name == local_name!("dd") {
            self.definition_from = self.page.lines.len();
        }
        if *name == local_name!("tr") {
            if let Some(outer) = self.rows.last_mut() {
                outer.nested = true;
            }
            self.rows_begun += 1;
            let table = self.tables.last().map_or(0, |table| table.number);
            let spot = Spot { table, row: self.rows_begun, ..Spot::default() };
            self.rows.push(Row { first_line: self.page.lines.len(), spot, ..Row::default() });
        }
        if *name == local_name!("td") || *name == local_name!("th") {
            self.open_cell(tag);
        }
        if *name == local_name!("title") {
            self.title = Some(String::new());
        }
        if !tag.self_closing || !is_foreign(name) {
            *self.counts.entry(name.clone()).or_default() += 1;
            self.striking += usize::from(strikes(name));
            if *name == local_name!("table") {
                self.tables_begun += 1;
                self.tables.push(Table { number: self.tables_begun, ..Table::default() });
            }
            self.open.push(Open { name: name.clone(), strong, hidden, scope, around, href });
        }
        raw_text(name)
    }

    fn open_cell(&mut self, tag: &Tag) {
        let Some(row) = self.rows.last_mut() else { return };
        row.cells += 1;
        row.headers += usize::from(tag.name == local_name!("th"));
        let spot = &mut row.spot;
        spot.column = (spot.column + spot.columns).max(1);
        while self.tables.last().is_some_and(|table| table.takes(spot.column)) {
            spot.column += 1;
        }
        (spot.columns, spot.rows) = (span(tag, "colspan", WIDEST), span(tag, "rowspan", TALLEST));
        if spot.rows > 1 && spot.column < WIDEST {
            row.tall.push(*spot);
        }
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
        if let Some(around) = open.around {
            self.within = around;
        }
        self.striking -= usize::from(strikes(&open.name));
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
            "dl" => self.release_term(),
            "dt" => self.take_term(),
            "dd" => self.prefix_definition(),
            "tr" => self.end_row(),
            "table" => drop(self.tables.pop()),
            "title" => self.page.titles.extend(self.title.take()),
            _ => {}
        }
    }

    /// `<dt>18 h</dt>`, `<dt>Matin</dt>`: the hour of each of the definitions below it, and no line of its own.
    fn take_term(&mut self) {
        // Without a list nothing below would put it back.
        if self.counts.get(&local_name!("dl")).is_none_or(|open| *open == 0) {
            return;
        }
        let from = self.definition_from.min(self.page.lines.len());
        let [line] = &self.page.lines[from..] else { return };
        if super::practical::says_only_when(&line.text) {
            self.term = self.page.lines.pop().map(|line| Term { line, used: false });
            self.clamp_scopes(from);
        }
    }

    /// An hour without a definition is a line again.
    fn release_term(&mut self) {
        if let Some(Term { line, used: false }) = self.term.take() {
            self.page.lines.push(line);
        }
    }

    /// Puts the hour in front of the definition, as in the cells of a row.
    fn prefix_definition(&mut self) {
        let from = self.definition_from.min(self.page.lines.len());
        let Some((term, line)) = self.term.as_mut().zip(self.page.lines.get_mut(from)) else { return };
        term.used = true;
        let hour = &term.line.text;
        let offset = hour.len() + 1;
        line.text.insert_str(0, &format!("{hour}\n"));
        for link in &mut line.links {
            (link.start, link.end) = (link.start + offset, link.end + offset);
        }
        // As in the two cells of a row without a table.
        let cell = |column, from| Cell { spot: Spot { column, columns: 1, ..line.spot }, from };
        line.cells = vec![cell(0, 0), cell(1, offset)];
        line.bullet = true;
    }

    /// After lines from `first` on became fewer.
    fn clamp_scopes(&mut self, first: usize) {
        let upto = self.page.lines.len();
        for scope in self.page.scopes.iter_mut().rev().take_while(|scope| scope.from >= first) {
            (scope.from, scope.to) = (scope.from.min(upto), scope.to.min(upto));
        }
    }

    /// A row whose cells are one line each is one record: one line, its cells apart by `\n`.
    fn end_row(&mut self) {
        const LONGEST_RECORD: usize = 2000;
        const MOST_LINES: usize = 4;
        let Some(row) = self.rows.pop() else { return };
        if let Some(table) = self.tables.last_mut() {
            table.end_row(&row.tall);
        }
        let first = row.first_line.min(self.page.lines.len());
        let lines = &self.page.lines[first..];
        if row.nested || lines.is_empty() || row.cells < 2 {
            return;
        }
        // A cell of several lines is one field of the record; a cell that holds a list of things is not.
        let ordered = lines.windows(2).all(|pair| pair[0].spot.column <= pair[1].spot.column);
        let crowded = lines
            .chunk_by(|a, b| a.spot == b.spot)
            .any(|cell| cell.len() > MOST_LINES && !is_badge(cell) || cell.iter().skip(1).any(|line| line.bullet));
        if !ordered || crowded || lines.iter().map(|line| line.text.len()).sum::<usize>() > LONGEST_RECORD {
            return;
        }
        // The lines of a `<dl>` in the cell have cells of their own: they are part of this one.
        let cells = self.page.lines.drain(first..).map(|line| Line { cells: Vec::new(), ..line });
        let Some(mut record) = Line::of_row(cells) else { return };
        record.bullet = true;
        record.header_row = row.headers == row.cells && row.cells > 1;
        self.page.lines.push(record);
        // A container within the row is this one line now.
        self.clamp_scopes(first);
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
