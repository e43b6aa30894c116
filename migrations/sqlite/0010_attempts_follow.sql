-- Postgres alone is spared a look at the delivery for each attempt: here it costs next to nothing, and the table would have to
-- be written anew.
SELECT 1;
