//! What an HTTP/1 response's headers say about the connection it came on.

use std::time::Duration;

/// What is to become of a connection after an exchange.
///
/// ```
/// use std::time::Duration;
/// use leasehold::Reuse;
///
/// // HTTP/1.1 keeps connections unless told otherwise, and the server says for how long.
/// assert_eq!(Reuse::of_http1(1, None, Some("timeout=5, max=99")), Reuse::KeepFor(Duration::from_secs(5)));
/// assert_eq!(Reuse::of_http1(1, Some("close"), None), Reuse::Close);
/// // HTTP/1.0 closes them unless told otherwise.
/// assert_eq!(Reuse::of_http1(0, None, None), Reuse::Close);
/// assert_eq!(Reuse::of_http1(0, Some("Keep-Alive"), None), Reuse::Keep);
/// // The last request that the server will answer on it.
/// assert_eq!(Reuse::of_http1(1, None, Some("timeout=5, max=0")), Reuse::Close);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// Close it.
    Close,
    /// Keep it for this long.
    KeepFor(Duration),
    /// Keep it for as long as it lasts.
    Keep,
}

impl Reuse {
    /// Reads the `Connection` and `Keep-Alive` headers of an HTTP/1.x response: all of each name, if there are any, in one line or several.
    ///
    /// `Connection` is a list of tokens, compared without regard to case; `close` wins. Of `Keep-Alive` the parameters
    /// `timeout`, in seconds, and `max`, the requests left, are read; a `max` of 0 closes. A `timeout` of 0 closes
    /// too, unlike with HttpClient, which keeps such a connection for ever. Of several of one name the smallest counts, whoever has
    /// written them on the way. What cannot be read is passed over.
    pub fn of_http1<'a>(
        minor_version: u8,
        connection: impl IntoIterator<Item = &'a str>,
        keep_alive: impl IntoIterator<Item = &'a str>,
    ) -> Reuse {
        let (mut says_close, mut says_keep_alive) = (false, false);
        for token in connection.into_iter().flat_map(|line| line.split(',')) {
            says_close |= token.trim().eq_ignore_ascii_case("close");
            says_keep_alive |= token.trim().eq_ignore_ascii_case("keep-alive");
        }
        if says_close || (minor_version == 0 && !says_keep_alive) {
            return Reuse::Close;
        }
        let (mut timeout, mut max) = (None, None);
        let parameters = keep_alive.into_iter().flat_map(|line| line.split(','));
        for (name, value) in parameters.filter_map(|parameter| parameter.split_once('=')) {
            let least = match name.trim() {
                name if name.eq_ignore_ascii_case("timeout") => &mut timeout,
                name if name.eq_ignore_ascii_case("max") => &mut max,
                _ => continue,
            };
            if let Ok(value) = value.trim().trim_matches('"').parse::<u64>() {
                *least = Some(least.map_or(value, |least: u64| least.min(value)));
            }
        }
        if max == Some(0) {
            return Reuse::Close;
        }
        match timeout {
            Some(0) => Reuse::Close,
            Some(seconds) => Reuse::KeepFor(Duration::from_secs(seconds)),
            None => Reuse::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_wins_wherever_it_stands() {
        assert_eq!(
            Reuse::of_http1(1, Some("Upgrade, CLOSE"), Some("timeout=5")),
            Reuse::Close
        );
        assert_eq!(
            Reuse::of_http1(0, Some("keep-alive, close"), None),
            Reuse::Close
        );
    }

    #[test]
    fn of_several_the_smallest_counts() {
        let read = |keep_alive| Reuse::of_http1(1, None, Some(keep_alive));
        assert_eq!(read("timeout=5, timeout=0"), Reuse::Close);
        assert_eq!(read("max=9, max=0, timeout=5"), Reuse::Close);
        let five = Reuse::KeepFor(Duration::from_secs(5));
        assert_eq!(read("timeout=5, timeout=60, timeout=x"), five);
        assert_eq!(read("timeout=60, timeout=5"), five);
    }

    #[test]
    fn headers_of_several_lines_are_read_as_one() {
        let closed = Reuse::of_http1(1, ["upgrade", "x, close"], None);
        assert_eq!(closed, Reuse::Close);
        let kept = Reuse::of_http1(1, [], ["timeout=60", "max=9, timeout=5"]);
        assert_eq!(kept, Reuse::KeepFor(Duration::from_secs(5)));
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        for odd in [
            "",
            ",",
            "timeout",
            "timeout=",
            "timeout=soon",
            "max=x",
            "timeout=-1",
            "=5",
        ] {
            assert_eq!(Reuse::of_http1(1, None, Some(odd)), Reuse::Keep, "{odd}");
        }
        assert_eq!(
            Reuse::of_http1(1, None, Some("timeout=x, Timeout = \"7\"")),
            Reuse::KeepFor(Duration::from_secs(7))
        );
        let huge = format!("timeout={}", u64::MAX);
        assert_eq!(
            Reuse::of_http1(1, None, Some(huge.as_str())),
            Reuse::KeepFor(Duration::from_secs(u64::MAX))
        );
    }
}
