//! The write probe of a preflight: creates one marked record, and removes it where the plan says how.

use bytes::Bytes;
use haulier_core::plan::{Method, WriteProbe};
use hyper::header::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Options;
use crate::http::{Call, Client, Reply, Trouble};
use crate::json::{Pointer, scalar_text};
use crate::reply::shorten;

/// Creates the record once and removes it. The answer says what was seen; the error says what did not work, and what is left
/// behind. Dropping the call may leave the record there, which the next probe then finds (409).
pub async fn write_probe(options: &Options, probe: &WriteProbe) -> Result<String, String> {
    let client = Client::new(options).map_err(|error| error.to_string())?;
    let method = match probe.method {
        Method::Put => hyper::Method::PUT,
        Method::Get | Method::Post | Method::Patch | Method::Delete => hyper::Method::POST,
    };
    let made = send(&client, method, &probe.path, probe.body.clone()).await?;
    let remove = match (made.status, &probe.remove) {
        (409, None) => return Ok("the marked record of an earlier probe is there (409)".to_owned()),
        (200..300, None) => return Ok("a marked record was written, and stays".to_owned()),
        (200..300 | 409, Some(remove)) => remove,
        (status, _) => return Err(format!("the target answered {status} to the marked record")),
    };
    let id = match &probe.id {
        Some(pointer) => id_of(&made, &Pointer::new(pointer)?),
        None => None,
    };
    let path = match id {
        Some(id) => remove.replace(ID, &utf8_percent_encode(&id, IN_PATH).to_string()),
        None if !remove.contains(ID) => remove.clone(),
        None => {
            return Err(format!(
                "the target answered {}, and the reply holds no id at `{}`: the marked record is still there",
                made.status,
                probe.id.as_deref().unwrap_or_default()
            ));
        }
    };
    let gone = send(&client, hyper::Method::DELETE, &path, String::new())
        .await
        .map_err(|why| format!("{why}; the marked record is still there"))?;
    match gone.status {
        200..300 | 404 | 410 => Ok("a marked record was written and removed".to_owned()),
        status => {
            Err(format!("the target answered {status} to its removal: the marked record is still there"))
        }
    }
}

/// Where the path of a removal holds the new id.
const ID: &str = "{id}";
/// What does not stand for itself in one segment of a path.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn id_of(reply: &Reply, pointer: &Pointer) -> Option<String> {
    let found = pointer.pick(&reply.body).ok()??;
    scalar_text(found.get()).map(std::borrow::Cow::into_owned)
}

async fn send(client: &Client, method: hyper::Method, path: &str, body: String) -> Result<Reply, String> {
    let content_type = (!body.is_empty()).then(|| HeaderValue::from_static("application/json"));
    let call =
        Call { method, path, headers: Vec::new(), content_type, body: Bytes::from(body), limit: 1 << 20 };
    client.send(&call, None).await.map_err(|trouble| match trouble {
        Trouble::Unsent(failure) => shorten(failure.reason),
        Trouble::Lost(reason) => shorten(reason),
    })
}

#[cfg(test)]
mod tests {
    use haulier_testkit::fake_target::{FakeTarget, Reply};

    use super::*;

    fn probe(remove: Option<&str>) -> WriteProbe {
        WriteProbe {
            method: Method::Post,
            path: "/accounts".to_owned(),
            body: r#"{"name":"haulier probe"}"#.to_owned(),
            id: Some("/id".to_owned()),
            remove: remove.map(str::to_owned),
        }
    }

    #[tokio::test]
    async fn a_marked_record_is_written_and_removed() {
        let target = FakeTarget::start().await;
        target.on("POST", "/accounts").reply(201, r#"{"id":"a/7"}"#);
        target.on("DELETE", "/accounts/a%2F7").reply(204, "");
        let said = write_probe(&Options::new(target.url()), &probe(Some("/accounts/{id}"))).await;
        assert_eq!(said.unwrap(), "a marked record was written and removed");
        let log = target.log();
        assert_eq!(log[0].body, r#"{"name":"haulier probe"}"#);
        assert_eq!(log[1].line(), "DELETE /accounts/a%2F7");
    }

    #[tokio::test]
    async fn what_stays_behind_is_told() {
        let target = FakeTarget::start().await;
        let made = || Reply::json(201, r#"{"id":7}"#);
        target.on("POST", "/accounts").then(made()).then(made()).then(Reply::json(403, ""));
        target.on("DELETE", "/accounts/7").reply(403, "");
        let options = Options::new(target.url());
        let said = write_probe(&options, &probe(Some("/accounts/{id}"))).await.unwrap_err();
        assert!(said.contains("403") && said.contains("still there"), "{said}");
        assert_eq!(
            write_probe(&options, &probe(None)).await.unwrap(),
            "a marked record was written, and stays"
        );
        let said = write_probe(&options, &probe(None)).await.unwrap_err();
        assert_eq!(said, "the target answered 403 to the marked record");
    }
}
