import type { Trx } from './database.js';

/** Ids of the instances that a migration took away from `host`, as their last one, and that are where it put them. */
export const movedFrom = (db: Trx, host: string) =>
  db
    .selectFrom('migrations')
    .innerJoin('instances as moved', 'moved.id', 'migrations.instance')
    .select('moved.id')
    .where('migrations.source', '=', host)
    .where('migrations.state', '=', 'completed')
    .whereRef('moved.host', '=', 'migrations.target')
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('migrations as later')
            .select('later.id')
            .whereRef('later.instance', '=', 'migrations.instance')
            .where('later.state', '=', 'completed')
            .where(({ or, and, eb, ref }) =>
              or([
                eb('later.ended_at', '>', ref('migrations.ended_at')),
                and([
                  eb('later.ended_at', '=', ref('migrations.ended_at')),
                  eb('later.started_at', '>', ref('migrations.started_at')),
                ]),
              ]),
            ),
        ),
      ),
    );
