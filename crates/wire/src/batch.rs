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

impl Column {
    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::I64(values) => values.is_empty(),
            Self::I8(values) => values.is_empty(),
            Self::U32(values) => values.is_empty(),
        }
    }
}

macro_rules! table {
    ($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $ty:ty as $kind:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $name { $($(#[$fdoc])* pub $field: Vec<$ty>,)+ }

        impl $name {
            /// Number of rows.
            #[must_use]
            pub fn len(&self) -> usize { self.ts_event.len() }

            /// Whether there is no row.
            #[must_use]
            pub fn is_empty(&self) -> bool { self.ts_event.is_empty() }

            /// An empty table with room for as many rows as this one has.
            fn empty_like(&self) -> Self {
                Self { $($field: Vec::with_capacity(self.$field.len()),)+ }
            }

            /// The columns by name, in the catalog's order.
            #[must_use]
            pub fn into_columns(self) -> Vec<(&'static str, Column)> {
                vec![$((stringify!($field), Column::$kind(self.$field)),)+]
            }
        }
    };
}

table! {
    /// Single trades; `side` is the aggressor's.
    Trades {
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
    AggTrades {
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
    Deltas {
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
    Quotes {
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
    Marks {
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

impl Deltas {
    /// Forgets levels of a frame that turned out to be broken, or no book at all.
    pub(crate) fn forget_open_levels(&mut self) {
        let rows = self.len();
        self.px.truncate(rows);
        self.qty.truncate(rows);
        self.side.truncate(rows);
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

    /// Non-empty tables by catalog kind, each as named columns.
    #[must_use]
    pub fn into_tables(self) -> Vec<(&'static str, Vec<(&'static str, Column)>)> {
        let mut tables = vec![
            ("trade", self.trades.into_columns()),
            ("agg_trade", self.agg_trades.into_columns()),
            ("delta", self.deltas.into_columns()),
            ("quote", self.quotes.into_columns()),
            ("mark", self.marks.into_columns()),
        ];
        tables.retain(|(_, columns)| columns.iter().any(|(_, column)| !column.is_empty()));
        tables
    }
}
