/** pypet's example 2: names, shortcuts that are not unique, results that are stored and emptied at once, skeletons. */
import { isPypetError, loadTrajectory, Trajectory } from '../../src/index.ts'

export default async function example(folder: string) {
  const filename = `${folder}/example_02.h5`
  const traj = new Trajectory({ name: 'Example', filename, comment: 'Access and storage!' })
  traj.addParameter('starwars.characters.han_solo', 'Harrison Ford')
  traj
    .getGroup('characters')
    .addParameter('luke_skywalker', 'Mark Hamill', { comment: 'May the force be with you!' })
  const full_name = traj.get('luke_skywalker').fullName

  traj.getGroup('parameters').addGroup('spaceballs.characters')
  let is_ambiguous = false
  try {
    traj.get('characters')
  } catch (error) {
    is_ambiguous = isPypetError(error, 'PYPET_NAME_AMBIGUOUS')
  }
  traj.get('starwars.characters')
  await traj.store()

  const income = traj.addResult('starwars.gross_income_of_film', { amount: 775398007.5, currency: '$$$' })
  await traj.storeItem('gross_income_of_film')
  income.empty()
  traj.addResult('starwars.robots', { c3p0: 'android', r2d2: 'beeep!' }, { comment: 'Help me Obiwan!' })
  traj.close()

  using again = await loadTrajectory(filename, { parameters: 'data', results: 'skeleton', autoLoad: false })
  const loaded = again.getResult('gross_income_of_film')
  const is_empty = loaded.isEmpty
  await again.loadItem(loaded)
  return {
    full_name,
    is_ambiguous,
    luke: again.value('luke_skywalker'),
    is_empty,
    amount: loaded.get('amount'),
    currency: loaded.get('currency'),
  }
}
