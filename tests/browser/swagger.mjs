// Uses Swagger UI like a person: authorizes, fills the form of an operation, executes it, and reads the response.

/** Authorizes with a token. */
export async function authorise(page, token) {
  await page.locator(".auth-wrapper .authorize").click();
  await page.locator(".modal-ux input").first().fill(token);
  await page.locator(".modal-ux .auth-btn-wrapper .authorize").click();
  await page.locator(".modal-ux .btn-done").click();
}

/** Executes an operation, and returns the status and the JSON that the page shows. */
export async function tried(page, http, path, given) {
  const live = await executed(page, http, path, given);
  const status = Number.parseInt(await live.locator("td.response-col_status").innerText(), 10);
  return { status, json: await shownJson(live) };
}

/** Returns the JSON of a response that the page shows. */
export async function shownJson(live) {
  return JSON.parse(await live.locator(".highlight-code code, .highlight-code pre").first().innerText());
}

/** Fills the form of an operation, executes it, and returns the element with the response. */
export async function executed(
  page,
  http,
  path,
  { fields = {}, choices = {}, files = {}, type = "application/json", body },
) {
  const operation = await opened(page, http, path);
  const execute = operation.locator(".execute");
  if ((await operation.locator(".body-param-content-type select, .content-type").count()) > 0) {
    await operation.locator("select.content-type, .body-param-content-type select").first().selectOption(type);
  }
  for (const [name, value] of Object.entries(fields))
    await field(operation, name, "input[type=text], input:not([type]), textarea").fill(value);
  for (const [name, choice] of Object.entries(choices)) await field(operation, name, "select").selectOption(choice);
  for (const [name, file] of Object.entries(files))
    await field(operation, name, "input[type=file]").setInputFiles(file);
  if (body !== undefined) await operation.locator(".body-param textarea").fill(JSON.stringify(body));
  // The response to an earlier call could be taken for the new one.
  const clear = operation.locator(".btn-clear");
  if (await clear.isVisible()) await clear.click();
  await execute.click();
  const live = operation.locator(".live-responses-table .response");
  await live.locator("td.response-col_status").waitFor();
  return live;
}

/** Opens the form of an operation. */
export async function opened(page, http, path) {
  const at = page.locator(".opblock", { has: page.locator(`[data-path="${path}"]`) });
  const operation = at.filter({ has: page.locator(".opblock-summary-method", { hasText: http.toUpperCase() }) });
  if (!(await operation.getAttribute("class")).includes("is-open"))
    await operation.locator(".opblock-summary-control").click();
  const execute = operation.locator(".execute");
  await execute.or(operation.locator(".try-out__btn")).first().waitFor();
  if (!(await execute.isVisible())) await operation.locator(".try-out__btn").click();
  await execute.waitFor();
  return operation;
}

function field(operation, name, kind) {
  const row = operation.locator(`tr[data-property-name="${name}"], tr[data-param-name="${name}"]`);
  return row.locator(kind).first();
}
