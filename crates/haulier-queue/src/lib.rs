//! Carries parcels durably, over AMQP or embedded.
