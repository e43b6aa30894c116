//! Addresses that a reader may be sent to.

/// Whether it is the whole address of a web page. What a page's own scripts understand (`javascript:`, `data:`), what only a
/// page can complete (`/x`, `//x`) and what is no address at all is not.
pub fn is_web(text: &str) -> bool {
    let rest = ["https://", "http://"].into_iter().find_map(|scheme| {
        let (start, rest) = text.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    let starts = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '[');
    rest.is_some_and(starts) && !text.contains(|c: char| c.is_control() || c.is_whitespace())
}

/// Whether it becomes the address of a web page beside the address of the page it stands on: `/agenda/x`, `x?y`.
pub fn is_relative(text: &str) -> bool {
    let head = text.split(['/', '?', '#']).next().unwrap_or_default();
    let is_place = !text.is_empty() && !text.starts_with(['#', '\\']) && !text.starts_with("//");
    is_place && !head.contains(':') && !text.contains(|c: char| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_link_names_a_place_on_the_same_site() {
        for link in ["/agenda/x", "x", "x?y=a:b", "../x", "?page=2"] {
            assert!(is_relative(link), "{link}");
        }
        for link in ["", "#haut", "//evil.example", "javascript:alert(1)", "mailto:a@b.example", "C:\\x", "\\\\x"] {
            assert!(!is_relative(link), "{link}");
        }
    }

    #[test]
    fn l6_a_link_must_be_an_absolute_page_address() {
        for link in ["https://auch.example/x?a=b#c", "HTTP://auch.example", "https://été.example", "http://[::1]:80/"]
        {
            assert!(is_web(link), "{link}");
        }
        for link in [
            "JaVaScRiPt:alert(1)",
            "data:text/html,<script>",
            "//evil.example/x",
            "/agenda",
            "https://",
            "https:///x",
            "http://a.example/\nx",
            "https://a.example/a b",
            "mailto:a@b.example",
            "hé",
            "",
        ] {
            assert!(!is_web(link), "{link}");
        }
    }
}
