//! The outbox: notices on their way.

use haulier_core::notice::{Kind, NewPost, Post, PostEvent, PostState};
use haulier_core::port::Micros;

use crate::conn::{Args, Cells, Conn, Fault, Work};

/// Keeps posts that are not there yet.
#[derive(Debug)]
pub(crate) struct KeepPosts {
    pub(crate) posts: Vec<NewPost>,
    pub(crate) now: Micros,
}

impl Work for KeepPosts {
    type Out = u64;
    const DOING: &'static str = "keeping notices";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<u64, Fault> {
        let sql = "INSERT INTO post (post_key, notice, kind, subject, told, audience, channel, addresses, title, body, \
                   state, at, since, due, attempts) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $12, 0) \
                   ON CONFLICT (post_key) DO NOTHING";
        let mut kept = 0;
        for post in &self.posts {
            let addresses = post.to.join("\n");
            let args = Args::of([
                post.key.as_str().into(),
                post.notice.as_str().into(),
                post.kind.as_str().into(),
                post.subject.as_str().into(),
                post.date.into(),
                post.audience.as_str().into(),
                post.channel.as_str().into(),
                addresses.as_str().into(),
                post.title.as_str().into(),
                post.text.as_str().into(),
                PostState::Due.as_str().into(),
                self.now.into(),
            ]);
            kept += conn.run(sql, args).await?;
        }
        Ok(kept)
    }
}

/// Takes posts that are due.
#[derive(Debug)]
pub(crate) struct TakePosts {
    pub(crate) now: Micros,
    pub(crate) limit: u32,
}

impl Work for TakePosts {
    type Out = Vec<Post>;
    const DOING: &'static str = "taking notices that are due";
    // Those of a call whose answer was lost become doubtful, because nobody hands them to their channel.
    const REPEATABLE: bool = false;

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<Post>, Fault> {
        let due = "SELECT id FROM post WHERE state IN ('due', 'failed') AND due <= $1 ORDER BY id LIMIT $2";
        let ids = conn.rows(due, Args::of([self.now.into(), i64::from(self.limit).into()])).await?;
        let ids: Vec<i64> = ids.iter().map(|row| row.number(0)).collect::<Result<_, _>>()?;
        let take = "UPDATE post SET state = 'sending', since = $2, attempts = attempts + 1 \
                    WHERE id = $1 AND state IN ('due', 'failed')";
        let mut taken = Vec::with_capacity(ids.len());
        for id in ids {
            // Another sender may have been quicker.
            if conn.run(take, Args::of([id.into(), self.now.into()])).await? == 1 {
                taken.extend(one(conn, id).await?);
            }
        }
        Ok(taken)
    }
}

/// Notes what became of a post.
#[derive(Debug)]
pub(crate) struct SettlePost {
    pub(crate) id: i64,
    pub(crate) event: PostEvent,
    pub(crate) said: Option<String>,
    pub(crate) now: Micros,
    pub(crate) due: Micros,
}

impl Work for SettlePost {
    type Out = bool;
    const DOING: &'static str = "noting what became of a notice";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<bool, Fault> {
        let Some(post) = one(conn, self.id).await? else { return Ok(false) };
        let Some(next) = post.state.next(self.event) else {
            // The same call once more, after its answer was lost.
            let leads = |(_, from): (&str, PostState)| from.next(self.event) == Some(post.state);
            let came_from = PostState::ALL.into_iter().any(leads);
            return Ok(came_from && post.since == self.now && post.said == self.said);
        };
        let sql = "UPDATE post SET state = $3, since = $4, due = $5, said = $6 WHERE id = $1 AND state = $2";
        let args = Args::of([
            self.id.into(),
            post.state.as_str().into(),
            next.as_str().into(),
            self.now.into(),
            self.due.into(),
            self.said.as_deref().into(),
        ]);
        if conn.run(sql, args).await? == 0 {
            return Err(Fault::Again);
        }
        Ok(true)
    }
}

/// Doubts what a dead sender had in hand.
#[derive(Debug)]
pub(crate) struct DoubtPosts {
    pub(crate) since: Micros,
    pub(crate) now: Micros,
}

impl Work for DoubtPosts {
    type Out = u64;
    const DOING: &'static str = "doubting notices of a dead sender";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<u64, Fault> {
        let sql = "UPDATE post SET state = 'doubtful', since = $2, said = 'its sender died' \
                   WHERE state = 'sending' AND since < $1";
        conn.run(sql, Args::of([self.since.into(), self.now.into()])).await
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct ReadPosts;

impl Work for ReadPosts {
    type Out = Vec<Post>;
    const DOING: &'static str = "reading the outbox";

    async fn run<C: Conn>(&self, conn: &mut C) -> Result<Vec<Post>, Fault> {
        let rows = conn.rows(SELECT_ALL, Args::of([])).await?;
        rows.iter().map(post).collect()
    }
}

const SELECT_ALL: &str = "SELECT id, post_key, notice, kind, subject, told, audience, channel, addresses, title, body, \
                          state, at, since, due, attempts, said FROM post ORDER BY id";
const SELECT_ONE: &str = "SELECT id, post_key, notice, kind, subject, told, audience, channel, addresses, title, body, \
                          state, at, since, due, attempts, said FROM post WHERE id = $1";

async fn one<C: Conn>(conn: &mut C, id: i64) -> Result<Option<Post>, Fault> {
    conn.rows(SELECT_ONE, Args::of([id.into()])).await?.first().map(post).transpose()
}

fn post<R: Cells>(row: &R) -> Result<Post, Fault> {
    let (kind, state, addresses) = (row.word(3)?, row.word(11)?, row.word(8)?);
    let strange = |word: &str| Fault::corrupt(format!("a notice says `{word}`"));
    Ok(Post {
        id: row.number(0)?,
        what: NewPost {
            key: row.word(1)?,
            notice: row.word(2)?,
            kind: Kind::of(&kind).ok_or_else(|| strange(&kind))?,
            subject: row.word(4)?,
            date: row.int(5)?,
            audience: row.word(6)?,
            channel: row.word(7)?,
            to: addresses.split('\n').filter(|address| !address.is_empty()).map(str::to_owned).collect(),
            title: row.word(9)?,
            text: row.word(10)?,
        },
        state: PostState::of(&state).ok_or_else(|| strange(&state))?,
        at: row.number(12)?,
        since: row.number(13)?,
        due: row.number(14)?,
        attempts: u32::try_from(row.number(15)?)
            .map_err(|_| Fault::corrupt("a notice was sent too often"))?,
        said: row.text(16)?,
    })
}
