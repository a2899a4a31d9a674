//! The port's contract and the engines' own quirks, on real databases.

mod access;
mod gauges;
mod index;
mod quirks_mysql;
mod quirks_postgres;
mod quirks_sqlite;
mod site;

mod mysql {
    //! MySQL/MariaDB keeps the contract.
    haulier_testkit::source_contract!(super::site::on_mysql);
}

mod postgres {
    //! PostgreSQL keeps the contract.
    haulier_testkit::source_contract!(super::site::on_postgres);
}

mod sqlite {
    //! SQLite keeps the contract.
    haulier_testkit::source_contract!(super::site::on_sqlite);
}
