/// <reference lib="esnext.disposable" preserve="true" />
/**
 * pypet-ts: run a function over a parameter space, in parallel, into one HDF5 file.
 *
 * A job module imports from here to define its experiment; a script imports `run` to run one.
 */

export { type ErrorCode, type ErrorDetails, type ErrorRecord, isPypetError, PypetError } from './errors.ts'
export type { ExperimentEvent, ExperimentSummary, Reporter } from './events.ts'
export {
  defineExperiment,
  type ExperimentDefinition,
  type ExperimentOptions,
  type JobResults,
  type PostprocessTrajectory,
} from './experiment/define.ts'
export { cartesianProduct, zip } from './exploration/cartesian.ts'
export { concat } from './exploration/concat.ts'
export { derive } from './exploration/derive.ts'
export type { Exploration } from './exploration/exploration.ts'
export { onlyIf } from './exploration/only-if.ts'
export { points } from './exploration/points.ts'
export { arange, linspace, logspace } from './exploration/range.ts'
export { repeat } from './exploration/repeat.ts'
export { latinHypercube, random, type SampleOptions, sobol } from './exploration/sample.ts'
export { between, choice, logBetween } from './exploration/sample-range.ts'
export { findUniquePoints } from './exploration/unique.ts'
export { where } from './exploration/where.ts'
export type { RunDifference } from './library/compare-run.ts'
export {
  type ConvertedTrajectory,
  type ConvertOptions,
  type ConvertReport,
  convertFile,
} from './library/convert.ts'
export {
  type ContinueOptions,
  Environment,
  type Job,
  type PostprocessCallback,
} from './library/environment.ts'
export type { EnvironmentOptions, EnvironmentSettings } from './library/environment-options.ts'
export type { LoadLevel, LoadLevels } from './library/load-levels.ts'
export { type LoadOptions, loadTrajectory } from './library/load-trajectory.ts'
export {
  type LeftOut,
  type MergeConflict,
  type MergedInput,
  type MergeInput,
  type MergeOptions,
  type MergeProgress,
  type MergeReport,
  type MergeTarget,
  mergeFiles,
  mergeFolder,
  mergeInto,
} from './library/merge.ts'
export type { PipelinePlan } from './library/pipeline.ts'
export { type Restored, type RestoreOptions, restore } from './library/restore.ts'
export {
  type ContinueCallOptions,
  continueRun,
  type RunCallOptions,
  type RunResult,
  run,
} from './library/run.ts'
export type { StoreOptions } from './library/store-nodes.ts'
export type { OtherSource } from './library/stored-source.ts'
export { type LoadItemOptions, Trajectory, type TrajectoryOptions } from './library/trajectory.ts'
export type { TableOptions, TableValues, TrajectoryTable } from './library/trajectory-table.ts'
export { type VerifyReport, verify } from './library/verify.ts'
export type { RunVerdict, VerifyOptions } from './library/verify-runs.ts'
export {
  type ParameterDefinition,
  type ParameterTree,
  type ParameterValues,
  parameter,
} from './run/parameter.ts'
export type { RunRandom } from './run/random.ts'
export type { LeafOptions, OwnResult, ResultItems, RunLog } from './run/run.ts'
export { MemoryStorage } from './storage/service/memory-storage.ts'
export type {
  ServiceOpened,
  ServiceOpening,
  ServiceRecord,
  StorageService,
  StorageWorker,
} from './storage/service/storage-service.ts'
export type { GroupNode, LeafNode, ParameterNode, ResultNode, TreeNode } from './tree/nodes.ts'
export type { Run } from './tree/run.ts'
export type { RunInformation } from './tree/run-information.ts'
export type { NestedList } from './values/nested-list.ts'
export type { ClassReference, OwnClass, OwnParameter } from './values/own-class.ts'
export type { Complex } from './values/stored-value.ts'
export type { TypedArray } from './values/typed-array.ts'
export {
  type ParameterValue,
  type RecordValue,
  type StorableValue,
  type Table,
  table,
} from './values/value.ts'
export { type Integer, integer, type NdArray, type SparseMatrix } from './values/value-forms.ts'
