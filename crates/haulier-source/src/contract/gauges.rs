//! Gauges for brakes, on the three engines.

use std::sync::Arc;
use std::time::Duration;

use haulier_core::port::{Probe, ProbeError};

use super::site::{mysql, postgres, sqlite};
use crate::{Gauge, Options, probes};

fn one(options: &Options, gauge: Gauge) -> Arc<dyn Probe> {
    let options = Options { statement_timeout: Duration::from_secs(1), ..options.clone() };
    probes(&options, vec![gauge]).pop().unwrap()
}

async fn query(options: &Options, text: &str) -> Result<f64, ProbeError> {
    one(options, Gauge::Query(text.to_owned())).read().await
}

fn table() -> Vec<String> {
    vec![
        "create table job (id integer primary key, state varchar(20), cost decimal(10,2))".to_owned(),
        "insert into job values (1, 'open', 1.25), (2, 'open', 2.25), (3, 'done', null)".to_owned(),
    ]
}

/// What every engine answers alike.
async fn scalars(options: Options) {
    assert_eq!(query(&options, "select count(*) from job where state = 'open'").await, Ok(2.0));
    assert_eq!(query(&options, "select sum(cost) as cost from job;").await, Ok(3.5));
    assert_eq!(query(&options, "select 0.5 * count(*) from job").await, Ok(1.5));
    assert_eq!(query(&options, "select max(cost) from job where id = 3").await, Err(ProbeError::Null));
    for (text, words) in [
        ("select state from job where id = 1", "not a number"),
        ("select id from job", "more than one row"),
        ("select id from job where id = 9", "no row"),
        ("select id, cost from job where id = 1", "2 columns"),
    ] {
        match query(&options, text).await {
            Err(ProbeError::Unfit(why)) => assert!(why.contains(words), "{text}: {why}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    match query(&options, "select id from nothing").await {
        Err(ProbeError::Failed(why)) => assert!(why.contains("nothing"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_scalar_query_is_a_gauge_on_postgres() {
    postgres(&table(), |_, options| scalars(options)).await;
}

#[tokio::test]
async fn a_scalar_query_is_a_gauge_on_mysql() {
    mysql(&table(), |_, options| scalars(options)).await;
}

#[tokio::test]
async fn a_scalar_query_is_a_gauge_on_sqlite() {
    sqlite(&table(), |_, options| async move {
        scalars(options.clone()).await;
        for gauge in [Gauge::Lag, Gauge::Load, Gauge::OldestTransaction] {
            let read = one(&options, gauge.clone()).read().await;
            assert!(matches!(read, Err(ProbeError::Unfit(_))), "{gauge:?}: {read:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_gauge_that_hangs_is_given_up_by_the_server() {
    let late = ProbeError::TimedOut { after_ms: 1000 };
    postgres(&[], |_, options| async move {
        assert_eq!(query(&options, "select 1 from (select pg_sleep(60)) as s").await, Err(late));
    })
    .await;
    mysql(&[], |_, options| async move {
        // MariaDB interrupts a sleep without an error, and the sleep then answers 1.
        let slow = "select count(*) from information_schema.columns a, information_schema.columns b, information_schema.columns c";
        let read = query(&options, slow).await;
        assert_eq!(read, Err(ProbeError::TimedOut { after_ms: 1000 }));
    })
    .await;
}

#[tokio::test]
async fn postgres_tells_its_lag_its_load_and_our_oldest_transaction() {
    postgres(&[], |_, options| async move {
        assert_eq!(one(&options, Gauge::Lag).read().await, Ok(0.0), "a primary without replicas");
        let load = one(&options, Gauge::Load);
        let oldest = one(&options, Gauge::OldestTransaction);
        assert!(load.read().await.unwrap() >= 0.0);
        assert_eq!(oldest.read().await, Ok(0.0));
        let slow = one(&options, Gauge::Query("select 1 from (select pg_sleep(0.9)) as s".to_owned()));
        let sleeping = tokio::spawn(async move { slow.read().await });
        let seen = async {
            while oldest.read().await.unwrap() < 0.1 || load.read().await.unwrap() < 1.0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), seen).await.expect("the sleeping statement is seen");
        sleeping.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn mysql_tells_its_load_and_that_it_is_no_replica() {
    mysql(&[], |_, options| async move {
        assert!(one(&options, Gauge::Load).read().await.unwrap() >= 1.0);
        assert_eq!(one(&options, Gauge::OldestTransaction).read().await, Ok(0.0));
        match one(&options, Gauge::Lag).read().await {
            Err(ProbeError::Failed(why)) => assert!(why.contains("says nothing"), "{why}"),
            other => panic!("{other:?}"),
        }
    })
    .await;
}
