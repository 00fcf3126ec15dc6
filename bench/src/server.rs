//! The private stack with the service's schema, and a second table that `psql \copy` fills.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use embedded::{Stack, StackOptions};
use indicatif::ProgressBar;
use polevod::config::{Config, Database, MqttUrl, Secret};
use polevod::store;
use tokio::runtime::Runtime;

/// What loading a row fills in, as `psql \copy` is told it: `stored_at` comes from its default on both sides.
const COPY_COLUMNS: &str = "machine_id, boot_id, sequence, recorded_at, recorded_at_raw, time_quality, received_at";

/// What loading over one connection cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) took: Duration,
    /// Processor time of the backend, which neighbours on the machine do not change.
    pub(crate) cpu: Duration,
}

/// Database, broker, and the settings that lead to them.
pub(crate) struct Server<'a> {
    pub(crate) runtime: &'a Runtime,
    pub(crate) stack: Stack,
    pub(crate) config: Config,
    /// Counts what is in the store while others write.
    pub(crate) client: tokio_postgres::Client,
}

impl<'a> Server<'a> {
    pub(crate) fn start(runtime: &'a Runtime, progress: &ProgressBar) -> anyhow::Result<Self> {
        let stack = Stack::start(&StackOptions::default(), &|step| progress.set_message(step.step.title()))?;
        let mut config = polevod::config::load(None, [])?;
        config.database.url = Secret::new(stack.postgres.url());
        config.mqtt.url = MqttUrl::parse(&stack.mosquitto.url())?;
        let client = runtime.block_on(prepare(&config.database))?;
        Ok(Self { runtime, stack, config, client })
    }

    /// Empties both tables and everything beside them, and leaves the server nothing to catch up with.
    pub(crate) fn empty(&self) -> anyhow::Result<()> {
        const SQL: &str = "truncate sample, sample_copied, signal_sample, stored_sequence, stored_day, derive_mark,
                           machine_state";
        self.runtime.block_on(async {
            self.client.batch_execute(SQL).await?;
            self.client.batch_execute("checkpoint").await
        })?;
        Ok(())
    }

    /// Connects again after the database was away.
    pub(crate) fn connect_again(&mut self) -> anyhow::Result<()> {
        self.client = self.runtime.block_on(store::connect(&self.config.database))?;
        Ok(())
    }

    /// Samples that the ledger says are stored.
    pub(crate) fn stored(&self) -> anyhow::Result<u64> {
        const SQL: &str = "select coalesce(sum(upper(run) - lower(run)), 0)::bigint
                           from stored_sequence, unnest(stored) as run";
        let count: i64 = self.runtime.block_on(self.client.query_one(SQL, &[]))?.get(0);
        Ok(count.unsigned_abs())
    }

    /// Waits until `samples` are stored.
    pub(crate) fn wait_for_stored(&self, samples: usize) -> anyhow::Result<()> {
        const EVERY: Duration = Duration::from_millis(5);
        while self.stored()? < samples as u64 {
            std::thread::sleep(EVERY);
        }
        Ok(())
    }

    /// Writes the rows of `sample` to a file in the temporary folder, as `psql \copy` will read them.
    pub(crate) fn export(&self, file: &std::path::Path, format: &str) -> anyhow::Result<()> {
        let columns = columns(&self.runtime.block_on(signals(&self.client))?);
        let command = format!("\\copy (select {columns} from sample) to '{}' with (format {format})", file.display());
        let output = self.stack.postgres.psql(&["--command", &command])?;
        ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// Loads a file into the second table with `psql \copy`; the time is what psql itself measured, without its start.
    pub(crate) fn copy(&self, file: &std::path::Path, format: &str) -> anyhow::Result<Spent> {
        let columns = columns(&self.runtime.block_on(signals(&self.client))?);
        // The backend ends with psql, so psql reads its processor time while it is there, by the shell's own means.
        let script = format!(
            "select pg_backend_pid() as pid \\gset\n\\setenv PID :pid\n\\timing on\n\
             \\copy sample_copied ({columns}) from '{}' with (format {format})\n\\timing off\n\
             \\echo CPU `read -r stat < /proc/$PID/stat && echo \"$stat\"`\n",
            file.display()
        );
        let script_file = file.with_extension("sql");
        fs::write(&script_file, script)?;
        let output = self.stack.postgres.psql(&["--file", &script_file.display().to_string()])?;
        let text = String::from_utf8_lossy(&output.stdout);
        let said = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
        let time = text.lines().find_map(|line| line.strip_prefix("Time: ")?.split(' ').next()?.parse::<f64>().ok());
        let time_ms = time.with_context(|| format!("psql gave no time: {said}"))?;
        let stat = text.lines().find_map(|line| line.strip_prefix("CPU "));
        let cpu = stat.and_then(own_cpu).with_context(|| format!("psql gave no processor time: {said}"))?;
        Ok(Spent { took: Duration::from_secs_f64(time_ms / 1e3), cpu })
    }

    /// Processor time that the only other connection has cost the database.
    pub(crate) async fn other_backend_cpu(&self) -> anyhow::Result<Duration> {
        const SQL: &str = "select pid from pg_stat_activity
                           where backend_type = 'client backend' and pid <> pg_backend_pid()";
        let pid: i32 = self.client.query_one(SQL, &[]).await?.get(0);
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        own_cpu(&stat).ok_or_else(|| anyhow!("/proc/{pid}/stat is odd: {stat}"))
    }
}

async fn prepare(database: &Database) -> anyhow::Result<tokio_postgres::Client> {
    let mut client = store::connect(database).await?;
    store::migrate(&mut client).await?;
    client
        .batch_execute(
            "create table sample_copied (like sample including defaults);
             select create_hypertable('sample_copied', by_range('recorded_at', interval '1 day'), create_default_indexes => false);
             create index on sample_copied (machine_id, recorded_at);",
        )
        .await?;
    Ok(client)
}

/// Signal columns of the sample table, in its order.
async fn signals(client: &tokio_postgres::Client) -> anyhow::Result<Vec<String>> {
    let fixed: Vec<&str> = COPY_COLUMNS.split(", ").chain(["stored_at"]).collect();
    let rows = client
        .query(
            "select attname::text from pg_attribute
             where attrelid = 'sample'::regclass and attnum > 0 and not attisdropped and attname <> all ($1)
             order by attnum",
            &[&fixed],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

fn columns(signals: &[String]) -> String {
    format!("{COPY_COLUMNS}, {}", signals.join(", "))
}

/// User and system time from `/proc/PID/stat` (fields 14 and 15, in hundredths of a second).
pub(crate) fn own_cpu(stat: &str) -> Option<Duration> {
    const TICK: Duration = Duration::from_millis(10);
    // The second field is a name in brackets, which may hold spaces; the third follows the last bracket.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let ticks: u32 = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    Some(TICK * ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_found_behind_an_odd_name() {
        let stat = "42 (a b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 1000 2000 20 0 1 0 99";
        assert_eq!(own_cpu(stat), Some(Duration::from_secs(2)));
        assert_eq!(own_cpu("42 (short) S 1"), None);
    }
}
