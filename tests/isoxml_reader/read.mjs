// Opens task data with the `isoxml` package and tells what it found, as JSON on one line.
import { readFileSync } from 'node:fs'
import isoxml from 'isoxml'

const manager = new isoxml.ISOXMLManager()
await manager.parseISOXMLFile(new Uint8Array(readFileSync(process.argv[2])), 'application/zip')
const root = manager.rootElement.attributes
const name = (reference) => reference?.entity?.attributes ?? {}

const tasks = (root.Task ?? []).map(({ attributes: task }) => ({
  field: name(task.PartfieldIdRef).PartfieldDesignator ?? null,
  worker: name(task.ResponsibleWorkerIdRef).WorkerLastName ?? null,
  totals: (task.Time ?? []).map((time) => Object.fromEntries(
    (time.attributes.DataLogValue ?? []).map(({ attributes: v }) => [v.ProcessDataDDI, v.ProcessDataValue]),
  )),
  logs: (task.TimeLog ?? []).map((log) => {
    const parsed = log.parseBinaryFile()
    const sums = {}
    const last = {}
    for (const { values } of parsed.timeLogs) {
      for (const [key, value] of Object.entries(values)) {
        const ddi = key.split('_')[0]
        sums[ddi] = (sums[ddi] ?? 0) + value
        last[ddi] = value
      }
    }
    return {
      records: parsed.timeLogs.length,
      positions: parsed.timeLogs.filter((record) => record.isValidPosition).length,
      box: parsed.bbox,
      sums,
      last,
      units: Object.fromEntries(parsed.valuesInfo.map((info) => [info.DDIString, info.unit])),
      errors: log.parsingErrors,
    }
  }),
}))

const fields = (root.Partfield ?? []).map((field) => ({
  name: field.attributes.PartfieldDesignator,
  area_m2: field.attributes.PartfieldArea,
  boundary: field.toGeoJSON(),
}))

console.log(JSON.stringify({ warnings: manager.getWarnings(), fields, tasks }))
