//! Makes the file accessible (PDF/UA-1), which printpdf does not: the structure tree, the language, the
//! title shown in the window, links with a text, bookmarks, XMP metadata. Then writes the bytes.
//!
//! Changes nothing that is drawn. The same document always gives the same bytes.

use std::{collections::BTreeMap, io::Write};

use chrono::{DateTime, Utc};
use flate2::{Compression, write::ZlibEncoder};
use lopdf::{Document, Object, ObjectId, Stream, StringFormat, dictionary};
use sha2::{Digest, Sha256};

use super::{
    PrintError, Sheet,
    draw::{Drawn, Marked},
    sheet::{Area, ElementId, Laid, Outline, Page, Printing, Role, Shape},
};
use crate::domain::french;

pub fn finish(drawn: Drawn, laid: &Laid, sheet: &Sheet, form: &str) -> Result<Vec<u8>, PrintError> {
    let pages = drawn.document.page_iter().collect();
    let mut tagger = Tagger { document: drawn.document, pages, laid, marked: &drawn.marked };
    tagger.tag(sheet, form).map_err(PrintError::Tags)?;
    let mut document = tagger.document;
    compress(&mut document).map_err(PrintError::Write)?;
    let mut bytes = Vec::new();
    document.save_modern(&mut bytes).map_err(PrintError::Write)?;
    Ok(bytes)
}

/// As lopdf does, but at the usual level: its best takes a quarter of the time of a page, for one part in a hundred.
fn compress(document: &mut Document) -> std::io::Result<()> {
    let streams = document.objects.values_mut().filter_map(|object| object.as_stream_mut().ok());
    for stream in streams.filter(|stream| stream.allows_compression && !stream.dict.has(b"Filter")) {
        let mut encoder = ZlibEncoder::new(Vec::with_capacity(stream.content.len() / 2), Compression::new(LEVEL));
        encoder.write_all(&stream.content)?;
        stream.set_content(encoder.finish()?);
        stream.dict.set("Filter", "FlateDecode");
    }
    Ok(())
}

const LEVEL: u32 = 6;

struct Tagger<'a> {
    document: Document,
    pages: Vec<ObjectId>,
    laid: &'a Laid,
    marked: &'a [Vec<Marked>],
}

impl Tagger<'_> {
    fn tag(&mut self, sheet: &Sheet, form: &str) -> lopdf::Result<()> {
        let title = format!("{}, {} ({form})", sheet.title, french::week(sheet.week));
        self.document.version = "1.7".to_owned();
        let structure = self.structure()?;
        let bookmarks = self.bookmarks();
        let metadata = self.metadata(&title, sheet);
        self.describe(&title, sheet)?;

        let mut preferences = dictionary! { "DisplayDocTitle" => true };
        if self.laid.printing == Printing::Folded {
            preferences.set("Duplex", "DuplexFlipShortEdge");
            preferences.set("PrintScaling", "None");
        }
        let catalog = self.document.catalog_mut()?;
        catalog.set("Lang", Object::string_literal("fr-FR"));
        catalog.set("MarkInfo", dictionary! { "Marked" => true });
        catalog.set("StructTreeRoot", structure);
        catalog.set("ViewerPreferences", preferences);
        catalog.set("Metadata", metadata);
        catalog.set("PageLayout", "SinglePage");
        catalog.set("PageMode", "UseNone");
        if let Some(bookmarks) = bookmarks {
            catalog.set("Outlines", bookmarks);
        }
        Ok(())
    }

    /// The structure tree, from the document element down; elements with nothing in them are left out.
    fn structure(&mut self) -> lopdf::Result<ObjectId> {
        let elements = &self.laid.outline.elements;
        let ids: Vec<ObjectId> = elements.iter().map(|_| self.document.new_object_id()).collect();
        let root = self.document.new_object_id();
        let contents = self.contents();
        let mut nums = Vec::new();
        for (page, elements) in self.marked.iter().enumerate() {
            let parents: Vec<Object> = elements.iter().map(|marked| ids[marked.element].into()).collect();
            nums.push(Object::from(page as i64));
            nums.push(parents.into());
        }
        let links = self.links(&contents, &ids, &mut nums)?;
        let alive = self.alive(&contents);
        self.write_element(Outline::DOCUMENT, root, &ids, &contents, &links, &alive);

        let next_key = (nums.len() / 2) as i64;
        let parent_tree = self.document.add_object(dictionary! { "Nums" => nums });
        let tree = dictionary! {
            "Type" => "StructTreeRoot",
            "K" => ids[Outline::DOCUMENT],
            "ParentTree" => parent_tree,
            "ParentTreeNextKey" => next_key,
        };
        self.document.set_object(root, tree);
        for (n, &page) in self.pages.iter().enumerate() {
            let page = self.document.get_dictionary_mut(page)?;
            page.set("StructParents", n as i64);
            page.set("Tabs", "S");
        }
        Ok(root)
    }

    /// For each element, its marked content in reading order: page and id.
    fn contents(&self) -> BTreeMap<ElementId, Vec<(usize, usize)>> {
        let mut parts: BTreeMap<ElementId, Vec<_>> = BTreeMap::new();
        for (page, marked) in self.marked.iter().enumerate() {
            for (mcid, marked) in marked.iter().enumerate() {
                parts.entry(marked.element).or_default().push((marked.part, page, mcid));
            }
        }
        let in_order = |mut parts: Vec<(usize, usize, usize)>| {
            parts.sort_unstable();
            parts.into_iter().map(|(_, page, mcid)| (page, mcid)).collect()
        };
        parts.into_iter().map(|(element, parts)| (element, in_order(parts))).collect()
    }

    /// Which elements hold something, themselves or below.
    fn alive(&self, contents: &BTreeMap<ElementId, Vec<(usize, usize)>>) -> Vec<bool> {
        let elements = &self.laid.outline.elements;
        let mut alive = vec![false; elements.len()];
        // Children come after their parents.
        for (id, element) in elements.iter().enumerate().rev() {
            alive[id] = contents.contains_key(&id) || element.children.iter().any(|&child| alive[child]);
        }
        alive[Outline::DOCUMENT] = true;
        alive
    }

    fn write_element(
        &mut self,
        element: ElementId,
        parent: ObjectId,
        ids: &[ObjectId],
        contents: &BTreeMap<ElementId, Vec<(usize, usize)>>,
        links: &BTreeMap<ElementId, Vec<(usize, ObjectId)>>,
        alive: &[bool],
    ) {
        let outline = &self.laid.outline;
        let node = &outline.elements[element];
        let mut kids: Vec<Object> = Vec::new();
        let mut dict = dictionary! { "Type" => "StructElem", "S" => structure_type(&node.role), "P" => parent };
        let own = contents.get(&element).map(Vec::as_slice).unwrap_or_default();
        if let Some(&(first, _)) = own.first() {
            dict.set("Pg", self.pages[first]);
            kids.extend(own.iter().map(|&(page, mcid)| match page == first {
                true => Object::from(mcid as i64),
                false => dictionary! { "Type" => "MCR", "Pg" => self.pages[page], "MCID" => mcid as i64 }.into(),
            }));
        }
        for &(page, link) in links.get(&element).map(Vec::as_slice).unwrap_or_default() {
            kids.push(dictionary! { "Type" => "OBJR", "Pg" => self.pages[page], "Obj" => link }.into());
        }
        kids.extend(node.children.iter().filter(|&&child| alive[child]).map(|&child| ids[child].into()));
        match &node.role {
            Role::List => dict.set("A", dictionary! { "O" => "List", "ListNumbering" => "None" }),
            Role::Figure { alt } => {
                dict.set("Alt", text(alt));
                let area = own.first().and_then(|&(page, _)| figure_area(&self.laid.pages[page], element));
                if let Some(area) = area {
                    dict.set("A", dictionary! { "O" => "Layout", "Placement" => "Block", "BBox" => area });
                }
            }
            _ => {}
        }
        dict.set("K", kids);
        self.document.set_object(ids[element], dict);
        for &child in node.children.iter().filter(|&&child| alive[child]) {
            self.write_element(child, ids[element], ids, contents, links, alive);
        }
    }

    /// One annotation per link and page, over all its lines.
    fn links(
        &mut self,
        contents: &BTreeMap<ElementId, Vec<(usize, usize)>>,
        ids: &[ObjectId],
        nums: &mut Vec<Object>,
    ) -> lopdf::Result<BTreeMap<ElementId, Vec<(usize, ObjectId)>>> {
        let mut links: BTreeMap<ElementId, Vec<(usize, ObjectId)>> = BTreeMap::new();
        let mut annotations: Vec<Vec<Object>> = vec![Vec::new(); self.pages.len()];
        for &element in contents.keys() {
            let Role::Link { url } = &self.laid.outline.elements[element].role else { continue };
            for (number, page) in self.laid.pages.iter().enumerate() {
                let runs: Vec<_> = page.marks.iter().filter(|mark| mark.element == Some(element)).collect();
                let areas: Vec<Area> = runs
                    .iter()
                    .filter_map(|mark| match &mark.shape {
                        Shape::Text(run) => Some(run.area()),
                        Shape::Fill { .. } | Shape::Logo(_) => None,
                    })
                    .collect();
                let Some(&first) = areas.first() else { continue };
                let whole = areas.iter().fold(first, |whole, area| union(&whole, area));
                let said = runs.iter().find_map(|mark| match &mark.shape {
                    Shape::Text(run) => Some(run.text.text.as_str()),
                    Shape::Fill { .. } | Shape::Logo(_) => None,
                });
                let key = (nums.len() / 2) as i64;
                let annotation = dictionary! {
                    "Type" => "Annot",
                    "Subtype" => "Link",
                    "Rect" => rect(&whole, page.paper.height),
                    "QuadPoints" => areas.iter().flat_map(|area| quad(area, page.paper.height)).collect::<Vec<Object>>(),
                    "Border" => vec![0.into(), 0.into(), 0.into()],
                    "F" => 4,
                    "Contents" => text(said.unwrap_or(url)),
                    "StructParent" => key,
                    "A" => dictionary! { "S" => "URI", "URI" => Object::string_literal(ascii_url(url)) },
                };
                let annotation = self.document.add_object(annotation);
                nums.push(key.into());
                nums.push(ids[element].into());
                annotations[number].push(annotation.into());
                links.entry(element).or_default().push((number, annotation));
            }
        }
        for (&page, annotations) in self.pages.iter().zip(annotations) {
            self.document.get_dictionary_mut(page)?.set("Annots", annotations);
        }
        Ok(links)
    }

    fn bookmarks(&mut self) -> Option<ObjectId> {
        let bookmarks = &self.laid.bookmarks;
        let ids: Vec<ObjectId> = bookmarks.iter().map(|_| self.document.new_object_id()).collect();
        let (&first, &last) = (ids.first()?, ids.last()?);
        let root = self.document.add_object(dictionary! {
            "Type" => "Outlines", "First" => first, "Last" => last, "Count" => ids.len() as i64,
        });
        for (n, bookmark) in bookmarks.iter().enumerate() {
            let top = self.laid.pages[bookmark.page].paper.height - bookmark.y;
            let destination: Vec<Object> =
                vec![self.pages[bookmark.page].into(), "XYZ".into(), Object::Null, top.into(), Object::Null];
            let mut item = dictionary! { "Title" => text(&bookmark.title), "Parent" => root, "Dest" => destination };
            if n > 0 {
                item.set("Prev", ids[n - 1]);
            }
            if let Some(&next) = ids.get(n + 1) {
                item.set("Next", next);
            }
            self.document.set_object(ids[n], item);
        }
        Some(root)
    }

    /// The Info dictionary and the identity of the file, which comes from its content alone.
    fn describe(&mut self, title: &str, sheet: &Sheet) -> lopdf::Result<()> {
        let date = Object::string_literal(sheet.created.format("D:%Y%m%d%H%M%SZ").to_string());
        let info = self.document.add_object(dictionary! {
            "Title" => text(title),
            "Author" => text(&sheet.office.name),
            "Creator" => text("semainier"),
            "Producer" => text("semainier (printpdf, lopdf)"),
            "CreationDate" => date.clone(),
            "ModDate" => date,
        });
        if let Ok(Object::Reference(unused)) = self.document.trailer.get(b"Info") {
            let unused = *unused;
            self.document.objects.remove(&unused);
        }
        let mut hash = Sha256::new();
        hash.update(title);
        hash.update(sheet.created.timestamp().to_be_bytes());
        for &page in &self.pages {
            hash.update(self.document.get_page_content(page));
        }
        let identity = Object::String(hash.finalize()[..16].to_vec(), StringFormat::Hexadecimal);
        self.document.trailer.set("Info", info);
        self.document.trailer.set("ID", vec![identity.clone(), identity]);
        Ok(())
    }

    fn metadata(&mut self, title: &str, sheet: &Sheet) -> ObjectId {
        let xmp = xmp(title, &sheet.office.name, sheet.created);
        let dict = dictionary! { "Type" => "Metadata", "Subtype" => "XML" };
        self.document.add_object(Stream::new(dict, xmp.into_bytes()).with_compression(false))
    }
}

fn structure_type(role: &Role) -> &'static str {
    match role {
        Role::Document => "Document",
        Role::Section => "Sect",
        Role::Title => "H1",
        Role::Heading => "H2",
        Role::List => "L",
        Role::ListItem => "LI",
        Role::Label => "Lbl",
        Role::ListBody => "LBody",
        Role::Paragraph => "P",
        Role::Link { .. } => "Link",
        Role::Figure { .. } => "Figure",
    }
}

fn text(text: &str) -> Object {
    lopdf::text_string(text)
}

/// An address as a PDF wants it: seven bits.
fn ascii_url(url: &str) -> String {
    let escape = |byte: u8| match byte {
        0x21..=0x7e => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    url.bytes().map(escape).collect()
}

fn figure_area(page: &Page, element: ElementId) -> Option<Vec<Object>> {
    let areas = page.marks.iter().filter(|mark| mark.element == Some(element)).filter_map(|mark| match &mark.shape {
        Shape::Fill { areas, .. } => Some(areas.as_slice()),
        Shape::Logo(area) => Some(std::slice::from_ref(area)),
        Shape::Text(_) => None,
    });
    let whole = areas.flatten().copied().reduce(|whole, area| union(&whole, &area))?;
    Some(rect(&whole, page.paper.height))
}

fn union(a: &Area, b: &Area) -> Area {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    Area { x, y, width: a.right().max(b.right()) - x, height: a.bottom().max(b.bottom()) - y }
}

fn rect(area: &Area, height: f32) -> Vec<Object> {
    [area.x, height - area.bottom(), area.right(), height - area.y].map(Object::from).to_vec()
}

/// In the order readers expect: upper left, upper right, lower left, lower right.
fn quad(area: &Area, height: f32) -> [Object; 8] {
    let (left, right, top, bottom) = (area.x, area.right(), height - area.y, height - area.bottom());
    [left, top, right, top, left, bottom, right, bottom].map(Object::from)
}

fn xmp(title: &str, author: &str, created: DateTime<Utc>) -> String {
    let (title, author) = (escaped(title), escaped(author));
    let date = created.format("%Y-%m-%dT%H:%M:%SZ");
    format!(
        r#"<?xpacket begin="{bom}" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:language><rdf:Bag><rdf:li>fr-FR</rdf:li></rdf:Bag></dc:language>
<xmp:CreatorTool>semainier</xmp:CreatorTool>
<xmp:CreateDate>{date}</xmp:CreateDate>
<xmp:ModifyDate>{date}</xmp:ModifyDate>
<pdf:Producer>semainier (printpdf, lopdf)</pdf:Producer>
<pdfuaid:part>1</pdfuaid:part>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"#,
        bom = '\u{feff}'
    )
}

fn escaped(text: &str) -> String {
    let printable = text.chars().filter(|&c| !c.is_control());
    printable.collect::<String>().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
