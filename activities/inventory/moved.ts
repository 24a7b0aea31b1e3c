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
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('migrations as later')
            .select('later.id')
            .whereRef('later.instance', '=', 'migrations.instance')
            .where('later.state', '=', 'completed')
            .where((one) =>
              one.or([
                one.eb('later.ended_at', '>', one.ref('migrations.ended_at')),
                one.and([
                  one.eb('later.ended_at', '=', one.ref('migrations.ended_at')),
                  one.eb('later.started_at', '>', one.ref('migrations.started_at')),
                ]),
              ]),
            ),
        ),
      ),
    );
