/** The flags of commands that select runs and columns. */
import { PypetError } from '../errors.ts'
import type { Query, QueryNames } from '../results/query.ts'

export interface QueryFlags {
  readonly trajectory?: string | undefined
  readonly select?: string | undefined
  readonly where?: string | undefined
  readonly sort?: string | undefined
  readonly limit?: string | undefined
  readonly groupBy?: string | undefined
  readonly agg?: string | undefined
}

export const FLAG_NAMES: QueryNames = {
  select: '--select',
  where: '--where',
  sort: '--sort',
  limit: '--limit',
  groupBy: '--group-by',
  agg: '--agg',
}

/** @throws PypetError `PYPET_USAGE` */
export function queryOf({ select, where, sort, limit, groupBy, agg }: QueryFlags): Query {
  const query = { select, where, sort, groupBy, agg }
  if (limit === undefined) return query
  if (!/^\d+$/.test(limit)) {
    throw new PypetError('PYPET_USAGE', `--limit: expected a whole number from 0, found ${limit}`, {
      where: '--limit',
      hint: 'Write --limit 10.',
    })
  }
  return { ...query, limit: Number(limit) }
}
