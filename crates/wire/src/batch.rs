use crate::widen::{finer, Quantities};

/// Stands for "not given" in an integer column.
pub const MISSING: i64 = i64::MIN;

/// One finished column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// Times, ids, prices and quantities.
    I64(Vec<i64>),
    /// Sides: +1 buy or bid, -1 sell or ask, 0 none.
    I8(Vec<i8>),
    /// Quality marks.
    U32(Vec<u32>),
}

/// One finished table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The catalog's name for this kind of rows.
    pub kind: &'static str,
    /// Decimals of its quantities.
    pub qty_exp: u8,
    /// Its columns by name, in the catalog's order.
    pub columns: Vec<(&'static str, Column)>,
}

macro_rules! table {
    ($(#[$doc:meta])* $name:ident = $kind:literal of $row:ident, on the grid: $grid:tt {
        $($(#[$fdoc:meta])* $field:ident: $ty:ty as $column:ident,)+
    }) => {
        table! {
            $(#[$doc])* $name = $kind, on the grid: $grid {
                $($(#[$fdoc])* $field: $ty as $column,)+
            }
        }

        /// One row, before it is split into columns.
        #[allow(clippy::struct_field_names)] // they are the columns' names
        pub(crate) struct $row { $(pub(crate) $field: $ty,)+ }

        impl $name {
            #[inline]
            pub(crate) fn push(&mut self, row: $row) {
                $(self.$field.push(row.$field);)+
            }
        }
    };
    ($(#[$doc:meta])* $name:ident = $kind:literal, on the grid: [$($qty:ident),*] {
        $($(#[$fdoc:meta])* $field:ident: $ty:ty as $column:ident,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $name {
            /// Decimals of the quantities: more than the instrument's where they needed it.
            pub qty_exp: u8,
            $($(#[$fdoc])* pub $field: Vec<$ty>,)+
        }

        impl $name {
            fn on(qty_exp: u8) -> Self {
                Self { qty_exp, ..Self::default() }
            }

            /// Number of rows.
            #[must_use]
            pub fn len(&self) -> usize { self.ts_event.len() }

            /// Whether there is no row.
            #[must_use]
            pub fn is_empty(&self) -> bool { self.ts_event.is_empty() }

            /// An empty table on the same grid, with room for as many rows as this one has.
            fn empty_like(&self) -> Self {
                Self {
                    qty_exp: self.qty_exp,
                    $($field: Vec::with_capacity(self.$field.len()),)+
                }
            }

            fn into_table(self) -> Table {
                Table {
                    kind: $kind,
                    qty_exp: self.qty_exp,
                    columns: vec![$((stringify!($field), Column::$column(self.$field)),)+],
                }
            }
        }

        impl Quantities for $name {
            fn qty_exp(&self) -> u8 { self.qty_exp }

            fn widen(&mut self) -> bool {
                finer(&mut self.qty_exp, &mut [$(&mut self.$qty),*])
            }
        }
    };
}

table! {
    /// Single trades; `side` is the aggressor's.
    Trades = "trade" of Trade, on the grid: [qty] {
        /// Matching time, ns.
        ts_event: i64 as I64,
        /// Recorder's stamp as it was, ns.
        ts_recv: i64 as I64,
        /// Venue trade id.
        id: i64 as I64,
        /// Price on the grid.
        px: i64 as I64,
        /// Quantity on the grid.
        qty: i64 as I64,
        /// +1 buy, -1 sell.
        side: i8 as I8,
        /// See `cq_types::flags`.
        flags: u32 as U32,
    }
}

table! {
    /// Trades of one taker order at one price, summed by the venue.
    AggTrades = "agg_trade" of AggTrade, on the grid: [qty] {
        /// Matching time, ns.
        ts_event: i64 as I64,
        /// Recorder's stamp as it was, ns.
        ts_recv: i64 as I64,
        /// Aggregate id.
        id: i64 as I64,
        /// Price on the grid.
        px: i64 as I64,
        /// Quantity on the grid.
        qty: i64 as I64,
        /// +1 buy, -1 sell.
        side: i8 as I8,
        /// See `cq_types::flags`.
        flags: u32 as U32,
        /// Id of the first trade summed.
        first_id: i64 as I64,
        /// Id of the last trade summed.
        last_id: i64 as I64,
    }
}

table! {
    /// Absolute level changes; the rows of a frame end with the LAST flag.
    ///
    /// A frame without levels is one row of side 0: it changes nothing but moves the
    /// chain of ids on.
    Deltas = "delta", on the grid: [qty] {
        /// Matching time (publication where that is all there is), ns.
        ts_event: i64 as I64,
        /// Recorder's stamp as it was, ns.
        ts_recv: i64 as I64,
        /// First update id of the frame (`U`).
        first_id: i64 as I64,
        /// Last update id of the frame (`u`), or a snapshot's.
        last_id: i64 as I64,
        /// Last id of the frame before (`pu`), [`MISSING`](crate::MISSING) where not sent.
        prev_id: i64 as I64,
        /// +1 bid, -1 ask, 0 none.
        side: i8 as I8,
        /// Price on the grid.
        px: i64 as I64,
        /// New quantity on the grid; 0 deletes.
        qty: i64 as I64,
        /// See `cq_types::flags`.
        flags: u32 as U32,
    }
}

table! {
    /// Best bid and ask.
    Quotes = "quote" of Quote, on the grid: [bid_qty, ask_qty] {
        /// Matching time, ns (latest venue time seen where not sent: flagged).
        ts_event: i64 as I64,
        /// Recorder's stamp as it was, ns.
        ts_recv: i64 as I64,
        /// Book update id (`u`).
        update_id: i64 as I64,
        /// Best bid on the grid.
        bid: i64 as I64,
        /// Quantity at the best bid.
        bid_qty: i64 as I64,
        /// Best ask on the grid.
        ask: i64 as I64,
        /// Quantity at the best ask.
        ask_qty: i64 as I64,
        /// See `cq_types::flags`.
        flags: u32 as U32,
    }
}

table! {
    /// Mark price, index and expected funding; prices and rate have 8 decimals.
    Marks = "mark" of Mark, on the grid: [] {
        /// Publication time, ns.
        ts_event: i64 as I64,
        /// Recorder's stamp as it was, ns.
        ts_recv: i64 as I64,
        /// Mark price, 8 decimals.
        mark: i64 as I64,
        /// Index price, 8 decimals, or [`MISSING`](crate::MISSING).
        index: i64 as I64,
        /// Funding rate as it stands, 8 decimals, or [`MISSING`](crate::MISSING).
        rate: i64 as I64,
        /// Next funding time, ns, or [`MISSING`](crate::MISSING).
        next_funding: i64 as I64,
        /// See `cq_types::flags`.
        flags: u32 as U32,
    }
}

/// Columns decoded so far, one table a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Single trades.
    pub trades: Trades,
    /// Aggregated trades.
    pub agg_trades: AggTrades,
    /// Book changes and snapshots.
    pub deltas: Deltas,
    /// Best bid and ask.
    pub quotes: Quotes,
    /// Mark prices.
    pub marks: Marks,
}

impl Batch {
    /// Empty tables whose quantities have so many decimals.
    #[must_use]
    pub fn on(qty_exp: u8) -> Self {
        Self {
            trades: Trades::on(qty_exp),
            agg_trades: AggTrades::on(qty_exp),
            deltas: Deltas::on(qty_exp),
            quotes: Quotes::on(qty_exp),
            marks: Marks::on(qty_exp),
        }
    }

    /// Takes the rows, leaving room for as many again: batches of a file are alike.
    pub(crate) fn take(&mut self) -> Self {
        let room = Self {
            trades: self.trades.empty_like(),
            agg_trades: self.agg_trades.empty_like(),
            deltas: self.deltas.empty_like(),
            quotes: self.quotes.empty_like(),
            marks: self.marks.empty_like(),
        };
        std::mem::replace(self, room)
    }

    /// The tables that have rows.
    #[must_use]
    pub fn into_tables(self) -> Vec<Table> {
        let is_filled = [
            !self.trades.is_empty(),
            !self.agg_trades.is_empty(),
            !self.deltas.is_empty(),
            !self.quotes.is_empty(),
            !self.marks.is_empty(),
        ];
        let tables = [
            self.trades.into_table(),
            self.agg_trades.into_table(),
            self.deltas.into_table(),
            self.quotes.into_table(),
            self.marks.into_table(),
        ];
        let filled = tables.into_iter().zip(is_filled).filter(|(_, is)| *is);
        filled.map(|(table, _)| table).collect()
    }
}
