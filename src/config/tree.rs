//! The configuration as a tree in which every key and value knows its place.
//!
//! `serde_yaml` forgets where a value stood, takes the last of two equal keys and follows aliases as
//! far as they lead. So saphyr-parser's events are gathered here first, and what could hide a mistake
//! is refused: duplicate keys, merge keys, tags, several documents, alias bombs, deep nesting.

use std::collections::BTreeMap;
use std::rc::Rc;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span};

use super::problem::Problem;
use super::slip;
use super::source::{Place, Source, count};

/// How deep lists and mappings may lie in each other, also through aliases: what follows is
/// recursive. The format itself needs five.
const MAX_DEPTH: usize = 32;

/// How much aliases may add: one for each value, and one for each 64 bytes of text. Ten thousand
/// targets that share a control and its families stay well below.
const MAX_ALIASED: usize = 200_000;

/// A value with its place.
#[derive(Debug)]
pub struct Node {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug)]
pub enum Kind {
    /// Text, a number, a truth value or nothing.
    Scalar {
        /// The text, unescaped, before variables are filled in.
        text: String,
        /// Whether it stood without quotes, so that `no` or `010` may mean something else.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Rc<Node>>),
    /// A mapping.
    Mapping(BTreeMap<String, Entry>),
    /// `*name`: what `&name` marked.
    Alias(Rc<Node>),
}

/// One key of a mapping.
#[derive(Debug)]
pub struct Entry {
    /// Where the key stands.
    pub key: Place,
    /// The value.
    pub value: Rc<Node>,
}

impl Node {
    /// The value itself, or the one that an alias leads to.
    #[must_use]
    pub fn target(&self) -> &Self {
        let mut node = self;
        while let Kind::Alias(next) = &node.kind {
            node = next;
        }
        node
    }

    /// The entry of a key, if this is a mapping that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.target().kind {
            Kind::Mapping(entries) => entries.get(key),
            Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Alias(_) => None,
        }
    }

    /// The items, if this is a list.
    #[must_use]
    pub fn items(&self) -> &[Rc<Self>] {
        match &self.target().kind {
            Kind::Sequence(items) => items,
            Kind::Scalar { .. } | Kind::Mapping(_) | Kind::Alias(_) => &[],
        }
    }

    /// The text of a scalar as it stands in the file.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.target().kind {
            Kind::Scalar { text, .. } => Some(text),
            Kind::Sequence(_) | Kind::Mapping(_) | Kind::Alias(_) => None,
        }
    }

    /// Whether this is a scalar without quotes.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(&self.target().kind, Kind::Scalar { plain: true, .. })
    }

    /// Where the entry begins for a reader: at the first key of a mapping, at the value of anything
    /// else, and at the alias where there is one.
    #[must_use]
    pub fn start(&self) -> Place {
        match &self.kind {
            Kind::Mapping(entries) => {
                let first = entries.values().map(|entry| entry.key).min();
                first.unwrap_or(self.place)
            }
            Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Alias(_) => self.place,
        }
    }
}

/// How much a value stands for, with all that its aliases lead to.
#[derive(Clone, Copy)]
struct Size {
    weight: usize,
    depth: usize,
}

/// A list or mapping that is being gathered.
struct Open {
    place: Place,
    anchor: usize,
    size: Size,
    inside: Inside,
}

enum Inside {
    Sequence(Vec<Rc<Node>>),
    Mapping {
        entries: BTreeMap<String, Entry>,
        /// The key whose value comes next; its text is missing where the key is refused.
        key: Option<(Place, Option<String>)>,
    },
}

struct Builder<'a> {
    source: &'a Source,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Rc<Node>, Size)>,
    aliased: usize,
    root: Option<Rc<Node>>,
    problems: Vec<Problem>,
}

/// Why gathering ended early: a problem after which the rest cannot be understood.
struct Fatal(Problem);

/// Gathers the tree of a file. Without a tree there is at least one problem.
#[must_use]
pub fn gather(source: &Source) -> (Option<Rc<Node>>, Vec<Problem>) {
    let mut builder = Builder {
        source,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        aliased: 0,
        root: None,
        problems: Vec::new(),
    };
    if let Err(Fatal(problem)) = builder.run() {
        builder.problems.push(problem);
        return (None, builder.problems);
    }
    if builder.root.is_none() {
        let place = source.end();
        builder.problems.push(
            source
                .problem(place, "the configuration is empty".to_owned())
                .help("the least is `version: 1` and a list of `targets`"),
        );
    }
    (builder.root, builder.problems)
}

impl Builder<'_> {
    fn run(&mut self) -> Result<(), Fatal> {
        let mut documents = 0_u32;
        let mut parser = Parser::new_from_str(self.source.text());
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let message = format!("not valid YAML: {}", error.info());
                let place = mark(*error.marker());
                let help = slip::syntax(self.source, place);
                self.fatal(place, message).help(help)
            })?;
            let place = place(span);
            match event {
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                Event::DocumentStart(_) => {
                    documents = documents.saturating_add(1);
                    if documents > 1 {
                        let problem = self.fatal(place, "a second document begins here".to_owned());
                        return Err(problem.help("one file holds one configuration: remove `---`"));
                    }
                }
                Event::Alias(anchor) => self.alias(anchor, place)?,
                Event::Scalar(text, style, anchor, tag) => {
                    let tagged = tag.is_some();
                    self.refuse_tag(tagged, place);
                    let node = Node {
                        place,
                        kind: Kind::Scalar {
                            text: text.into_owned(),
                            // What a refused tag would make of it does not matter any more.
                            plain: style == ScalarStyle::Plain && !tagged,
                        },
                    };
                    self.scalar(node, anchor);
                }
                Event::SequenceStart(anchor, tag) => {
                    self.refuse_tag(tag.is_some(), place);
                    self.begin(place, anchor, Inside::Sequence(Vec::new()))?;
                }
                Event::MappingStart(anchor, tag) => {
                    self.refuse_tag(tag.is_some(), place);
                    let entries = BTreeMap::new();
                    self.begin(place, anchor, Inside::Mapping { entries, key: None })?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.end(),
            }
        }
        Ok(())
    }

    fn fatal(&self, place: Place, message: String) -> Fatal {
        Fatal(self.source.problem(place, message))
    }

    fn refuse_tag(&mut self, tagged: bool, place: Place) {
        if tagged {
            let problem = self
                .source
                .problem(place, "tags (`!…`) mean nothing here".to_owned());
            self.problems
                .push(problem.help("remove the tag; quote what is meant as text"));
        }
    }

    /// Whether what comes next is a key.
    fn key_is_next(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                inside: Inside::Mapping { key: None, .. },
                ..
            })
        )
    }

    fn begin(&mut self, place: Place, anchor: usize, inside: Inside) -> Result<(), Fatal> {
        if self.key_is_next() {
            return Err(self.fatal(place, "a key must be a plain word".to_owned()));
        }
        self.check_depth(1, place)?;
        self.open.push(Open {
            place,
            anchor,
            size: Size {
                weight: 1,
                depth: 1,
            },
            inside,
        });
        Ok(())
    }

    /// Refuses a value of this depth where it would lie too deep.
    fn check_depth(&self, depth: usize, place: Place) -> Result<(), Fatal> {
        if self.open.len().saturating_add(depth) > MAX_DEPTH {
            let message = format!("lists and mappings lie more than {MAX_DEPTH} deep");
            return Err(self.fatal(place, message));
        }
        Ok(())
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let kind = match open.inside {
            Inside::Sequence(items) => Kind::Sequence(items),
            Inside::Mapping { entries, .. } => Kind::Mapping(entries),
        };
        let node = Node {
            place: open.place,
            kind,
        };
        self.value(Rc::new(node), open.anchor, open.size);
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Fatal> {
        if self.key_is_next() {
            return Err(self.fatal(place, "a key must be a plain word".to_owned()));
        }
        let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
            return Err(self.fatal(place, "an alias lies inside its own anchor".to_owned()));
        };
        self.check_depth(size.depth, place)?;
        self.aliased = self.aliased.saturating_add(size.weight);
        if self.aliased > MAX_ALIASED {
            let problem = self.fatal(place, "the aliases so far stand for too much".to_owned());
            return Err(problem.help("write `defaults:` once instead of repeating large values"));
        }
        let node = Node {
            place,
            kind: Kind::Alias(node),
        };
        self.value(Rc::new(node), 0, size);
        Ok(())
    }

    fn scalar(&mut self, node: Node, anchor: usize) {
        let place = node.place;
        if let (true, Some(text)) = (self.key_is_next(), node.text()) {
            let text = self.accept_key(text, node.is_plain(), place);
            if let Some(Inside::Mapping { key, .. }) =
                self.open.last_mut().map(|open| &mut open.inside)
            {
                *key = Some((place, text));
            }
            return;
        }
        let size = Size {
            weight: node.text().map_or(1, |text| 1 + text.len() / 64),
            depth: 0,
        };
        self.value(Rc::new(node), anchor, size);
    }

    /// The key, unless it is refused.
    fn accept_key(&mut self, text: &str, plain: bool, place: Place) -> Option<String> {
        if plain && text == "<<" {
            let problem = self
                .source
                .problem(place, "merge keys (`<<`) are not supported".to_owned());
            self.problems.push(problem.help(
                "put what all targets share under `defaults:`; an alias for a whole value, such as \
                 `control: *shop`, works",
            ));
            return None;
        }
        let Some(Inside::Mapping { entries, .. }) = self.open.last().map(|open| &open.inside)
        else {
            return None;
        };
        match entries.get(text) {
            Some(first) => {
                let message = format!("duplicate key `{}`", text.escape_debug());
                let help = format!("it stands in line {} already", first.key.line);
                self.problems
                    .push(self.source.problem(place, message).help(help));
                None
            }
            None => Some(text.to_owned()),
        }
    }

    /// Puts a finished value where it belongs.
    fn value(&mut self, node: Rc<Node>, anchor: usize, size: Size) {
        if anchor > 0 {
            self.anchors.insert(anchor, (Rc::clone(&node), size));
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        open.size.weight = open.size.weight.saturating_add(size.weight);
        open.size.depth = open.size.depth.max(size.depth.saturating_add(1));
        match &mut open.inside {
            Inside::Sequence(items) => items.push(node),
            Inside::Mapping { entries, key } => {
                if let Some((place, Some(text))) = key.take() {
                    entries.insert(
                        text,
                        Entry {
                            key: place,
                            value: node,
                        },
                    );
                }
            }
        }
    }
}

impl Fatal {
    fn help(self, help: &str) -> Self {
        Self(self.0.help(help))
    }
}

fn mark(marker: Marker) -> Place {
    Place {
        line: count(marker.line()).max(1),
        column: count(marker.col()).saturating_add(1),
        length: 1,
    }
}

fn place(span: Span) -> Place {
    let length = span.end.index().saturating_sub(span.start.index());
    Place {
        length: count(length).max(1),
        ..mark(span.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(text: &str) -> (Option<Rc<Node>>, String) {
        let source = Source::decode("f".to_owned(), text.as_bytes()).unwrap();
        let (root, problems) = gather(&source);
        let messages: Vec<_> = problems
            .iter()
            .map(|problem| {
                let place = problem.place.unwrap();
                format!("{}:{} {}", place.line, place.column, problem.message)
            })
            .collect();
        (root, messages.join("\n"))
    }

    #[test]
    fn every_key_and_value_knows_its_place_in_characters() {
        for text in ["ä: [x, {ö: ü, b: c}]\nd: e", "ä: [x, {ö: ü, b: c}]\r\nd: e"] {
            let (root, problems) = gathered(text);
            assert_eq!(problems, "");
            let root = root.unwrap();
            let place = |place: Place| (place.line, place.column, place.length);
            let list = &root.entry("ä").unwrap().value;
            let inner = list.items()[1].entry("b").unwrap();
            assert_eq!(place(inner.key), (1, 15, 1));
            assert_eq!(place(inner.value.place), (1, 18, 1));
            assert_eq!(place(list.items()[1].start()), (1, 9, 1), "the first key");
            assert_eq!(place(root.entry("d").unwrap().key), (2, 1, 1));
        }
    }

    #[test]
    fn an_alias_leads_to_its_value_and_keeps_its_own_place() {
        let (root, problems) = gathered("a: &x {k: v}\nb: *x");
        assert_eq!(problems, "");
        let root = root.unwrap();
        let alias = &root.entry("b").unwrap().value;
        assert_eq!(alias.entry("k").unwrap().value.text(), Some("v"));
        assert_eq!((alias.start().line, alias.start().column), (2, 4));
    }

    #[test]
    fn what_could_hide_a_mistake_is_refused() {
        for (text, problem) in [
            (
                "a: 1\nb: {c: 1, c: 2}\na: 3",
                "2:11 duplicate key `c`\n3:1 duplicate key `a`",
            ),
            (
                "a: &x {b: c}\nd: {<<: *x}",
                "2:5 merge keys (`<<`) are not supported",
            ),
            ("a: !!str 1", "1:4 tags (`!…`) mean nothing here"),
            ("a: 1\n---\nb: 2", "2:1 a second document begins here"),
            ("a: &x [*x]", "1:8 an alias lies inside its own anchor"),
            ("? [a]\n: b", "1:3 a key must be a plain word"),
            ("a: &x b\n*x : c", "2:1 a key must be a plain word"),
            ("# nothing", "1:10 the configuration is empty"),
            ("", "1:1 the configuration is empty"),
        ] {
            assert_eq!(gathered(text).1, problem, "{text}");
        }
    }

    #[test]
    fn alias_bombs_end_early() {
        let mut text = "x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
        for i in 1..10 {
            let uses = vec![format!("*a{}", i - 1); 9].join(", ");
            text += format!("x-{i}: &a{i} [{uses}]\n").as_str();
        }
        assert!(
            gathered(&text)
                .1
                .contains("the aliases so far stand for too much")
        );
        let long = format!(
            "x-a: &a {}\nb: [{}]",
            "x".repeat(200_000),
            "*a, ".repeat(10_000)
        );
        assert!(
            gathered(&long)
                .1
                .contains("the aliases so far stand for too much")
        );
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        for text in ["[", "{a: ", "- ", "? "] {
            let (root, problems) = gathered(&text.repeat(200_000 / text.len()));
            assert!(root.is_none() && !problems.is_empty(), "{text}");
        }
        // Each step is shallow, and all of them together would be thousands deep.
        let mut ladder = "x-0: &a0 []\n".to_owned();
        for i in 1..500 {
            ladder += format!("x-{i}: &a{i} [[*a{}]]\n", i - 1).as_str();
        }
        let (root, problems) = gathered(&ladder);
        assert!(
            root.is_none() && problems.contains("more than 32 deep"),
            "{problems}"
        );
        let allowed = format!("{}{}", "[".repeat(32), "]".repeat(32));
        assert_eq!(gathered(&allowed).1, "");
    }
}
