//! What every ledger adapter must do, tried on ledgers of their own.
//!
//! [`crate::ledger_contract!`] turns each promise into a test.

mod admission;
mod claims;
mod control;
mod fixture;
mod idmap;
mod model;
mod outbox;
mod parents;
mod settlement;
mod stages;
mod steering;
mod survey;
mod sweep;

use std::sync::Arc;

use async_trait::async_trait;
use haulier_core::port::{Ledger, LedgerError};

pub use admission::*;
pub use claims::*;
pub use control::*;
pub use fixture::{Desk, digest, entity, key, sighting};
pub use idmap::*;
pub use model::*;
pub use outbox::*;
pub use parents::*;
pub use settlement::*;
pub use stages::*;
pub use steering::*;
pub use survey::*;
pub use sweep::*;

/// One fresh ledger, and what an adapter's test can do with it.
#[async_trait]
pub trait Bench: Send + Sync {
    /// One more handle on the ledger, as another process has.
    async fn open(&self) -> Result<Arc<dyn Ledger>, LedgerError>;

    /// Makes it look as if a haulier of this version had written it.
    async fn pretend_version(&self, version: i64);
}

/// Makes one test of every promise. `$site` is an async function that takes a promise, as a closure from
/// `Arc<dyn Bench>` to a future, and runs it on a ledger of its own.
#[macro_export]
macro_rules! ledger_contract {
    ($site:path) => {
        $crate::ledger_contract! { @tests $site:
            new_rows_are_published_and_counted
            admitting_a_chunk_again_changes_nothing
            a_second_run_skips_what_landed_unchanged
            a_second_run_publishes_changed_content
            changed_content_starts_afresh_in_the_same_run
            what_landed_in_this_run_is_unchanged
            a_held_row_that_is_seen_again_stays_held
            refused_and_left_out_rows_are_not_published
            a_dead_row_stays_dead_until_its_content_changes
            a_row_seen_while_it_is_sent_goes_out_afterwards
            a_row_seen_unchanged_while_it_is_sent_lands
            two_rows_with_one_natural_key_are_one_row_and_a_duplicate
            one_chunk_may_hold_both_rows_of_a_natural_key
            a_row_may_change_its_natural_key
            two_rows_may_swap_their_natural_keys
            a_waived_row_stays_waived_until_its_content_changes
            a_landed_row_with_another_path_key_is_held_for_a_person
            a_row_sent_only_if_it_landed_is_no_record_before
            a_row_that_was_read_before_a_newer_one_changes_nothing
            a_claim_counts_the_attempt
            a_claim_is_dropped_where_there_is_nothing_to_send
            a_record_that_was_never_admitted_is_a_stranger
            content_that_was_never_admitted_is_dropped
            a_superseded_generation_is_dropped
            each_key_is_claimed_once_by_racing_owners
            keys_and_ids_of_any_text_survive
            generations_of_any_number_survive
            racing_claims_in_any_order_neither_double_nor_stall
            one_claim_takes_each_key_once
            a_landed_record_has_its_id
            a_record_that_landed_before_is_claimed_with_its_id
            only_the_owner_settles
            settling_twice_stores_once
            every_settlement_leads_to_its_state
            a_batch_may_end_in_every_way
            updates_and_first_tries_share_a_batch
            what_was_not_sent_does_not_count
            two_records_never_share_a_target_id
            one_batch_never_shares_a_target_id
            a_target_id_that_is_a_natural_key_is_unique_too
            entities_have_ids_of_their_own
            a_landing_releases_the_children_it_held
            a_hold_on_a_landed_parent_is_due_at_once
            a_hold_in_the_batch_that_lands_the_parent_is_due_at_once
            a_landing_releases_children_of_other_entities
            holds_and_landings_at_once_leave_no_child_behind
            an_unknown_outcome_is_looked_up_before_it_is_sent
            doubt_lasts_until_it_lands
            silent_processes_lose_their_claims
            due_records_come_oldest_first
            what_moved_on_is_not_republished
            an_unknown_record_keeps_its_doubt_in_the_queue
            a_process_that_said_good_bye_loses_its_claims
            rescue_makes_queued_records_due
            a_person_retries_or_waives_dead_records
            lists_are_filtered_and_paged
            tenants_are_counted_and_skipped_records_by_why
            the_id_map_is_paged_as_it_landed
            the_undo_list_is_the_created_ones_backwards
            the_id_map_keeps_the_first_landing
            cursors_are_kept_for_each_walk
            the_producer_lease_is_held_by_one
            the_lease_epoch_grows_with_every_holder
            an_unfinished_run_is_resumed
            a_changed_plan_is_refused_until_it_is_accepted
            a_finished_run_is_followed_by_a_fresh_one
            a_ledger_serves_one_plan
            a_run_that_does_not_exist_is_an_error
            processes_are_listed_by_their_last_beat
            a_finished_run_keeps_its_tally
            changes_of_control_are_kept_in_order
            one_of_racing_changes_wins
            a_process_keeps_its_last_report
            what_processes_measured_is_a_runs_history
            changes_of_the_calendar_are_kept_in_order
            one_of_racing_changes_of_the_calendar_wins
            a_post_is_kept_once_under_its_key
            a_post_is_taken_by_one_sender
            a_post_goes_only_where_its_law_leads
            what_a_dead_sender_had_in_hand_is_doubtful
            entries_of_stages_are_kept_in_order
            one_of_racing_entries_wins
            the_controller_lease_is_held_by_one
            two_handles_see_each_other
            a_newer_ledger_is_refused
            opening_at_once_makes_one_ledger
            it_does_what_the_model_does
        }
    };
    (@tests $site:path: $($promise:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            $site(|bench| async move {
                $crate::contract::ledger::$promise(&*bench).await;
            })
            .await;
        }
    )*};
}
