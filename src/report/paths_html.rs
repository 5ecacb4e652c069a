//! Ways as one page: the picture, and each way step by step. It has no script and takes nothing from elsewhere.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::paths::{self, condition_texts, deed, ground_lines, in_steps, in_words};
use super::paths_graph::Picture;
use super::phrases::counted;
use super::visible::visible;
use crate::ask::paths::{From, Overview, Possible, Reach, SINKS, Step, Target, Traced};
use crate::decide::cluster::Cluster;

const HEAD: &str = include_str!("paths.html");
/// How many boxes the picture has: with more nobody finds the way.
const MOST_BOXES: usize = 40;
/// How many starts are told step by step: what a browser opens at once.
const MOST_TOLD: usize = 400;
/// How many rows the table of all starts has.
const MOST_ROWS: usize = 1000;

/// A page of ways while starts are added to it.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// What the ways lead to, or where they begin.
    title: String,
    table: String,
    told: String,
    listed: String,
    picture: Picture,
    /// How many ways are told, and how many of them are drawn.
    ways: usize,
    drawn: usize,
    starts: usize,
    left_out: Vec<String>,
}

/// A text as it stands in the page, with what would hide or turn round made visible.
fn text(text: &str) -> String {
    let text = visible(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Page {
    /// An empty page.
    pub fn new(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    /// Adds a row for every start: the sinks that it reaches, and those that it may reach.
    pub fn add_table(&mut self, rows: &[(From, Overview)]) {
        let heads = SINKS.iter().fold(String::new(), |all, sink| all + "<th scope=\"col\">" + sink + "</th>");
        let mut body = String::new();
        for (from, overview) in rows.iter().take(MOST_ROWS) {
            let _ = write!(body, "<tr><th scope=\"row\">{}</th>", text(&from.title));
            for (sink, depth) in &overview.sinks {
                let cell = match depth {
                    Some(0) => "has it".to_owned(),
                    Some(depth) => counted((*depth).into(), "step"),
                    None if overview.possible.contains(sink) => "if conditions hold".to_owned(),
                    None => "<span aria-label=\"not found\">-</span>".to_owned(),
                };
                let class = if depth.is_some() { " class=\"sure\"" } else { "" };
                let _ = write!(body, "<td{class}>{cell}</td>");
            }
            body.push_str("</tr>\n");
        }
        let more = match rows.len().checked_sub(MOST_ROWS) {
            Some(more @ 1..) => format!("<p>and {more} more; <code>-o json</code> lists them</p>\n"),
            _ => String::new(),
        };
        self.table = format!(
            "<section aria-labelledby=\"h-table\"><h2 id=\"h-table\">Who reaches which sink</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"h-table\"><table><thead><tr><th scope=\"col\">start</th>{heads}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n{more}</section>\n"
        );
    }

    /// Adds the way of a start to what was asked for.
    pub fn add_way(
        &mut self,
        cluster: &Cluster,
        traced: &Traced<'_, '_>,
        reach: &Reach,
        possible: Option<&Possible>,
    ) {
        let steps = in_steps(reach.depth);
        if self.starts >= MOST_TOLD {
            let how = if possible.is_some() { ", if conditions hold" } else { "" };
            self.left_out.push(format!("{} {steps}{how}", traced.from().title));
            return;
        }
        self.begin(&traced.from().title);
        self.way(cluster, traced, reach, possible);
        self.told.push_str("</section>\n");
    }

    /// Counts a start that is not told.
    pub fn leave_out(&mut self, from: &From) {
        self.left_out.push(format!("{}, if conditions hold", from.title));
    }

    /// Adds everything that one start reaches: the ways to sinks, and the rest in lists.
    pub fn add_start(&mut self, cluster: &Cluster, traced: &Traced<'_, '_>) {
        self.begin(&traced.from().title);
        let certain = traced.sinks();
        for reach in &certain {
            self.way(cluster, traced, reach, None);
        }
        let mut told: Vec<&str> = Vec::new();
        for sink in SINKS {
            let is_certain = traced.paths.sinks.iter().any(|(name, depth)| *name == sink && depth.is_some());
            let Some(own) = traced.possibly_to(&Target::Sink(sink)).filter(|_| !is_certain) else { continue };
            if !told.contains(&own.reach.identity.as_str()) {
                told.push(&own.reach.identity);
                self.way(cluster, traced, &own.reach, Some(own));
            }
        }
        if certain.is_empty() && told.is_empty() {
            self.told.push_str("<p>No way to a sink found.</p>\n");
        }
        self.told.push_str("</section>\n");
        self.list("Reached for certain", &traced.paths.reached, |_| String::new());
        self.list("Roles gained", &traced.paths.roles, |_| String::new());
        let possible: Vec<Reach> = traced.possible.iter().map(|own| own.reach.clone()).collect();
        self.list("Reached if conditions hold", &possible, |number| {
            let own = traced.possible.get(number).map(|own| condition_texts(cluster, &own.conditions));
            own.filter(|texts| !texts.is_empty())
                .map_or_else(String::new, |texts| format!(", if {}", texts.join(", and ")))
        });
    }

    fn list(&mut self, heading: &str, reaches: &[Reach], condition: impl Fn(usize) -> String) {
        if reaches.is_empty() {
            return;
        }
        let _ = writeln!(
            self.listed,
            "<details><summary>{heading}: {}</summary>\n<ul class=\"flat\">",
            reaches.len()
        );
        for (reach, number) in reaches.iter().zip(0usize..) {
            let last: Vec<&str> = reach.last.iter().map(Step::id).collect();
            let by = if last.is_empty() { String::new() } else { format!(", by {}", last.join(", ")) };
            let line =
                format!("{} {}{by}{}", in_words(&reach.identity), in_steps(reach.depth), condition(number));
            let _ = writeln!(self.listed, "<li>{}</li>", text(&line));
        }
        self.listed.push_str("</ul></details>\n");
    }

    fn begin(&mut self, title: &str) {
        self.starts += 1;
        let number = self.starts;
        let _ = writeln!(
            self.told,
            "<section class=\"start\" aria-labelledby=\"s{number}\"><h3 id=\"s{number}\">{}</h3>",
            text(title)
        );
    }

    /// A way, step by step.
    fn way(
        &mut self,
        cluster: &Cluster,
        traced: &Traced<'_, '_>,
        reach: &Reach,
        possible: Option<&Possible>,
    ) {
        let hops = traced.hops(reach);
        self.ways += 1;
        let mut more = self.picture.clone();
        more.add(traced, reach);
        if self.drawn == 0 || more.boxes() <= MOST_BOXES {
            self.picture = more;
            self.drawn += 1;
        }
        let verb = if possible.is_some() { "may reach" } else { "reaches" };
        let heading = format!("{verb} {} {}", in_words(&reach.identity), in_steps(reach.depth));
        let class = if possible.is_some() { " class=\"open\"" } else { "" };
        let _ = writeln!(self.told, "<h4{class}>{}</h4>", text(&heading));
        let conditions = possible.map(|own| condition_texts(cluster, &own.conditions)).unwrap_or_default();
        if !conditions.is_empty() {
            self.told.push_str("<p>if all of this holds:</p><ul>\n");
            for condition in &conditions {
                let _ = writeln!(self.told, "<li class=\"if\">{}</li>", text(condition));
            }
            self.told.push_str("</ul>\n");
        }
        let power = traced.power(reach);
        if hops.is_empty() && power.is_none() {
            return;
        }
        self.told.push_str("<ol>\n");
        for hop in &hops {
            let _ =
                write!(self.told, "<li><strong>{}</strong> {}<ul>", text(hop.step.id()), text(&deed(hop)));
            for ground in &hop.grounds {
                self.ground(cluster, ground);
            }
            for condition in condition_texts(cluster, &hop.conditions) {
                let _ = write!(self.told, "<li class=\"if\">if {}</li>", text(&condition));
            }
            self.told.push_str("</ul></li>\n");
        }
        if let Some((who, ground)) = &power {
            let said = format!("then {who} has {}", reach.identity);
            let _ = write!(self.told, "<li>{}<ul>", text(&said));
            self.ground(cluster, ground);
            self.told.push_str("</ul></li>\n");
        }
        self.told.push_str("</ol>\n");
    }

    fn ground(&mut self, cluster: &Cluster, ground: &crate::ask::paths::Ground<'_>) {
        let (by, place) = ground_lines(cluster, ground);
        let place = if place.is_empty() { String::new() } else { format!(" <code>{}</code>", text(&place)) };
        let _ = write!(
            self.told,
            "<li>{} <span class=\"by\">{}{place}</span></li>",
            text(&ground.asked),
            text(&by)
        );
    }

    /// Writes the page.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(
        &self,
        out: &mut dyn Write,
        cluster: &Cluster,
        (tool, command): (&str, &str),
    ) -> io::Result<()> {
        let title = text(&self.title);
        write!(out, "{}", HEAD.replace("@TITLE@", &title))?;
        writeln!(out, "<header><h1>{title}</h1>")?;
        if self.starts == 0 {
            writeln!(out, "<p><strong>No way found.</strong></p>")?;
        } else {
            writeln!(out, "<p>{} told step by step.</p>", counted(self.ways, "way"))?;
        }
        writeln!(out, "</header>\n<main>")?;
        if !self.picture.is_empty() {
            let svg = self.picture.bundled_svg(&self.title);
            writeln!(
                out,
                "<section aria-labelledby=\"h-picture\"><h2 id=\"h-picture\">Picture</h2>\n<div class=\"pic\" tabindex=\"0\" role=\"region\" aria-labelledby=\"h-picture\">\n{svg}</div>\n<p class=\"dim\">Each arrow is a step by which one becomes the other. What is dashed depends on conditions.</p>"
            )?;
            if self.drawn < self.ways {
                writeln!(
                    out,
                    "<p class=\"dim\">{} of {} ways are drawn, as many as a picture can show.</p>",
                    self.drawn, self.ways
                )?;
            }
            writeln!(out, "</section>")?;
        }
        write!(out, "{}", self.table)?;
        if !self.told.is_empty() {
            writeln!(out, "<section aria-labelledby=\"h-ways\"><h2 id=\"h-ways\">Step by step</h2>")?;
            write!(out, "{}", self.told)?;
            if !self.left_out.is_empty() {
                writeln!(
                    out,
                    "<details><summary>{} not told here; <code>--as</code> or <code>--arn</code> tells one</summary>\n<ul class=\"flat\">",
                    counted(self.left_out.len(), "more start")
                )?;
                for line in &self.left_out {
                    writeln!(out, "<li>{}</li>", text(line))?;
                }
                writeln!(out, "</ul></details>")?;
            }
            writeln!(out, "</section>")?;
        }
        if !self.listed.is_empty() {
            writeln!(out, "<section aria-labelledby=\"h-all\"><h2 id=\"h-all\">Everything reached</h2>")?;
            write!(out, "{}", self.listed)?;
            writeln!(out, "</section>")?;
        }
        writeln!(
            out,
            "<section aria-labelledby=\"h-basis\"><h2 id=\"h-basis\">What this rests on</h2>\n<ul>"
        )?;
        for line in paths::basis(cluster).lines {
            writeln!(out, "<li>{}</li>", text(&line))?;
        }
        writeln!(
            out,
            "</ul>\n<p class=\"dim\">Made by {}: <code>{}</code></p></section>\n</main>\n</body>\n</html>",
            text(tool),
            text(command)
        )?;
        out.flush()
    }
}
