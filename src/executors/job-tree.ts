/** The tree that the jobs of a worker see. It is built from what the worker was sent, when a job first asks for it. */
import type { WorkerSetup } from '../protocol.ts'
import type { FindParameter } from '../run/parameter-view.ts'
import type { JobTree } from '../tree/job-run.ts'
import { type RunNodes, SentNodes } from '../tree/run-nodes.ts'
import { parameterFinder } from '../tree/run-tree.ts'
import type { OwnClasses } from '../values/own-class.ts'
import { unpackNodes } from './packed-nodes.ts'

export function jobTree(
  { parameters, nodes: sent = NO_NODES }: Pick<WorkerSetup, 'parameters' | 'nodes'>,
  classes: OwnClasses = new Map(),
): JobTree & { readonly findParameter: FindParameter } {
  let nodes: RunNodes | undefined
  let source: SentNodes | undefined
  const unpacked = () => {
    nodes ??= 'text' in sent || 'file' in sent ? unpackNodes(sent) : sent
    return nodes
  }
  const options = () => {
    const { shortcuts, maxDepth } = unpacked()
    return {
      ...(shortcuts !== undefined && { shortcuts }),
      ...(maxDepth !== undefined && { maxDepth }),
      dynamicImports: [...classes.values()],
    }
  }
  const tree = {
    source() {
      source ??= new SentNodes(parameters, unpacked())
      return source
    },
    options,
    noClobber: sent.noClobber === true,
  }
  return { ...tree, findParameter: parameterFinder(tree.source, options) }
}

const NO_NODES: RunNodes = { groups: [], leaves: [], links: [], described: [] }
