/** The return value of a pipeline function: a job and post-processing, each with its arguments (pypet `f_pipeline`). */
import { PypetError } from '../errors.ts'
import { foundValue } from '../experiment/option.ts'
import { isPlainObject } from '../values/value-forms.ts'

type Callable = string | URL | ((...args: never[]) => unknown)

export type PipelinePlan =
  | Callable
  | readonly [job: Callable, args?: readonly unknown[]]
  | readonly [
      job: readonly [job: Callable, args?: readonly unknown[]],
      postprocess: readonly [postprocess: (...args: never[]) => unknown, args?: readonly unknown[]],
    ]
  | {
      readonly job: Callable
      readonly args?: readonly unknown[]
      readonly postprocess?: (...args: never[]) => unknown
      readonly postprocessArgs?: readonly unknown[]
    }

export interface PipelinePart {
  readonly job: Callable
  readonly args: readonly unknown[]
  readonly postprocess: ((...args: never[]) => unknown) | undefined
  readonly postprocessArgs: readonly unknown[]
}

/** @throws PypetError `PYPET_USAGE` for any other form */
export function pipelinePlan(plan: unknown): PipelinePart {
  if (isCallable(plan)) return part(plan)
  if (Array.isArray(plan)) {
    const [first, second] = plan as readonly unknown[]
    if (isCallable(first)) return part(first, second)
    if (Array.isArray(first) && isCallable(first[0]) && Array.isArray(second)) {
      return part(first[0], first[1], second[0], second[1])
    }
  }
  if (isPlainObject(plan) && isCallable(plan.job)) {
    return part(plan.job, plan.args, plan.postprocess, plan.postprocessArgs)
  }
  throw wrongPlan(foundValue(plan))
}

function part(
  job: Callable,
  args: unknown = [],
  postprocess?: unknown,
  postprocessArgs: unknown = [],
): PipelinePart {
  if (!Array.isArray(args) || !Array.isArray(postprocessArgs))
    throw wrongPlan('arguments that are not a list')
  if (postprocess !== undefined && typeof postprocess !== 'function') {
    throw wrongPlan(`${foundValue(postprocess)} as post-processing`)
  }
  return { job, args, postprocess: postprocess as PipelinePart['postprocess'], postprocessArgs }
}

function isCallable(value: unknown): value is Callable {
  return typeof value === 'function' || typeof value === 'string' || value instanceof URL
}

function wrongPlan(found: string): PypetError {
  return new PypetError('PYPET_USAGE', `the pipeline gave ${found}`, {
    where: 'pipeline',
    hint: 'Return { job, args, postprocess, postprocessArgs }, or [job, args], or [[job, args], [postprocess, args]].',
  })
}
