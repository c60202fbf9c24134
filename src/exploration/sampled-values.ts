/** The type of a sampler: names and value types. */
import type { UnionToIntersection, Widen } from '../run/parameter.ts'
import type { ParameterValue } from '../values/value.ts'
import type { StripBranch } from './explored-values.ts'
import type { GeneratedRange } from './range.ts'
import type { BoundedRange, ChoiceRange } from './sample-range.ts'

/** `[low, high]`, `between`, `logBetween`, `choice`, or a list of texts or booleans to choose from. */
type SampleInput =
  | readonly [number, number]
  | readonly [bigint, bigint]
  | BoundedRange
  | ChoiceRange
  | GeneratedRange
  | readonly string[]
  | readonly boolean[]

/** Bounds by name. A plain object is a group, as for parameters. */
export interface SampleTree {
  readonly [name: string]: SampleInput | SampleTree
}

/** The flat values of a tree of bounds: `{ neuron: { tau: [1, 2] } }` gives `{ 'neuron.tau': number }`. */
export type SampledValues<Tree> = StripBranch<FlatValues<Tree>>

type FlatValues<Tree> = UnionToIntersection<
  {
    [Name in keyof Tree & string]: Tree[Name] extends SampleInput
      ? { [Key in Name]: SampledValue<Tree[Name]> }
      : {
          [Inner in keyof FlatValues<Tree[Name]> & string as `${Name}.${Inner}`]: FlatValues<
            Tree[Name]
          >[Inner]
        }
  }[keyof Tree & string]
>

type SampledValue<Input> = Input extends BoundedRange | GeneratedRange
  ? number
  : Input extends ChoiceRange<infer Value extends ParameterValue>
    ? Widen<Value>
    : Input extends readonly (infer Value)[]
      ? Widen<Value>
      : never
