-- Asked at each marker, which has just changed the delivery in the same statement; deliveries are not deleted.
ALTER TABLE attempts DROP CONSTRAINT attempts_delivery_fkey;
